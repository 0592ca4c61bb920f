"""What branches and cues read: one bounded stretch of a clip, sound and faces on one clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.timebase import FRAME_RATE_HZ
from avdetect.types import Segment, total_seconds

FACE_CROP_PX = 224
MOUTH_CROP_PX = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelAudio:
    """One sound channel within one observation.

    Attributes:
        channel: name of the channel (`avdetect.types.channel_name`).
        waveform: (S,) float32 in [-1, 1] at 16 kHz; sample 0 is at ``Observation.segment.start_s``.
        speech: stretches of speech on the clip's clock, within the observation.
        bandwidth_hz: effective bandwidth measured at the native rate, None in silence.
    """

    channel: str
    waveform: NDArray[np.float32]
    speech: tuple[Segment, ...]
    bandwidth_hz: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceWindow:
    """One face track within one observation, sampled on the 25 Hz clock.

    T counts the frames in which this face was found; frames without it are left out, so
    ``frame_index`` may skip.

    Attributes:
        track: number of the face track in the clip, from 0; a track never crosses a cut.
        shot: number of the shot the track lives in, from 0.
        frame_index: (T,) int64 position on the clip's 25 Hz clock.
        frame_s: (T,) float64 true presentation time of the source frame shown there, seconds.
        faces: (T, 224, 224, 3) uint8 RGB, aligned by eyes and mouth.
        mouths: (T, 96, 96) uint8 grey, aligned, centred on the lips.
        boxes: (T, 4) float32 left, top, right, bottom in pixels of the source picture.
        landmarks: (T, 478, 2) float32 mesh points x, y in pixels of the source picture.
        size_px: median side of the face box in source pixels.
        yaw_deg: median head turn in degrees, 0 frontal, sign does not matter to any reader.
    """

    track: int
    shot: int
    frame_index: NDArray[np.int64]
    frame_s: NDArray[np.float64]
    faces: NDArray[np.uint8]
    mouths: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    size_px: float
    yaw_deg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WholePicture:
    """A source picture with its surround, one a second; only where cues ask for pictures.

    Attributes:
        tick: its position on the clip's 25 Hz clock; a face seen in it has this ``frame_index``.
        time_s: true presentation time, seconds from clip start.
        pixels: (H, W, 3) uint8 RGB, upright, longest side at most 1920.
        native_luma: as of `avdetect.media.picture.PictureFrame`; of a photograph alone.
    """

    tick: int
    time_s: float
    pixels: NDArray[np.uint8]
    native_luma: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A bounded stretch of one clip, made once and read by every branch.

    Successive observations overlap; ``fresh`` is the part that no earlier one covered.

    Attributes:
        segment: the stretch this observation covers, seconds from clip start.
        fresh: the part of ``segment`` not covered by the previous observation.
        channels: distinct sound channels; empty without sound.
        faces: face tracks present; empty without faces.
        speaking_track: the face that moves with the speech, None if none does.
        copies: (channel, original) names of channels that carry the same sound as another here.
        is_still: True where the picture is a single photograph.
        faces_unfollowed: how often so far a face was left out because larger ones were followed.
        pictures: the source pictures of its seconds; empty unless they were asked for.
    """

    segment: Segment
    fresh: Segment
    channels: tuple[ChannelAudio, ...] = ()
    copies: tuple[tuple[str, str], ...] = ()
    faces: tuple[FaceWindow, ...] = ()
    speaking_track: int | None = None
    is_still: bool = False
    faces_unfollowed: int = 0
    pictures: tuple[WholePicture, ...] = ()

    def is_fresh(self, ticks: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(T,) which ticks of the 25 Hz clock no earlier observation covered; all of a still."""
        if self.is_still:
            return np.ones(len(ticks), bool)
        times = ticks / FRAME_RATE_HZ
        # Half a frame of slack: ticks and segment borders are both multiples of a frame.
        slack = 0.5 / FRAME_RATE_HZ
        return np.asarray(
            (times >= self.fresh.start_s - slack) & (times < self.fresh.end_s - slack)
        )

    def fresh_speech_s(self, channel: ChannelAudio) -> float:
        """Seconds of speech on one of its channels that no earlier observation covered."""
        spoken = [piece.overlap(self.fresh) for piece in channel.speech]
        return total_seconds(piece for piece in spoken if piece is not None)
