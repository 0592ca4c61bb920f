"""Which stretches of an observation the lip-sync branch can judge, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdetect.active_speaker import lip_opening, lip_turns, outdone
from avdetect.faces.lips import lip_points
from avdetect.nn.offset_curve import MAX_OFFSET_FRAMES
from avdetect.nn.sync_encoder import SPEECH_FRAMES, WINDOW_FRAMES, shrink_mouths
from avdetect.observation import ChannelAudio, FaceWindow, Observation
from avdetect.timebase import FRAME_RATE_HZ, SAMPLES_PER_FRAME, seconds_to_samples
from avdetect.types import Part, Segment, total_seconds

WINDOW_S = WINDOW_FRAMES / FRAME_RATE_HZ
HOP_FRAMES = 10
_LEAST_SPEECH_S = 0.4  # of the 1.2 s: less is a breath or a single syllable
_WIDEST_YAW_DEG = 45.0  # beyond it half of the lips is hidden
_SMALLEST_FACE_PX = 48.0
# In 1.2 s; a syllable gives two. Of windows full of speech 97 % have as many, of faces that only
# smile or listen a quarter.
_FEWEST_TURNS = 3
STILL_MOUTH = "the mouth hardly moves while there is speech: the voice may be off the screen"
# One voice falls silent between syllables: by this much in 99 % of windows of one speaker, in 5 %
# of those of a dozen at once.
_LEAST_RANGE_DB = 7.0
CROWD = "many voices or noise at once: no one voice stands out"
OTHERS_TURN = "another face speaks here"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncWindow:
    """1.2 s of one mouth with the sound around it.

    Attributes:
        segment: the time of the mouths, seconds from clip start.
        speech_share: share of ``segment`` in which there is speech, 0..1.
        mouths: (30, 96, 96) uint8 grey.
        lips: (30, 40, 2) float32, see `lip_points`.
        sound: (38400,) float32, 0.6 s before to 0.6 s after the mouths, zero beyond the edges.
        heard: (60,) float32, 1 where a frame of sound exists.
    """

    segment: Segment
    speech_share: float
    mouths: NDArray[np.uint8]
    lips: NDArray[np.float32]
    sound: NDArray[np.float32]
    heard: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPart:
    """One face with one channel in one observation: its windows, or why there are none."""

    part: Part
    windows: tuple[SyncWindow, ...] = ()
    missing: str | None = None


def sync_part(observation: Observation) -> SyncPart | None:
    """What can be judged in this observation; None without sound and without faces."""
    channel, face = _clearest_channel(observation), _speaking_face(observation)
    part = Part(
        channel=channel.channel if channel else None, face_track=face.track if face else None
    )
    if channel is None and face is None:
        return None
    if channel is None:
        return SyncPart(part=part, missing="no sound")
    if face is None:
        reason = "several faces, none seen speaking" if observation.faces else "no face"
        return SyncPart(part=part, missing=reason)
    missing = _unfit(observation, channel, face)
    if missing is not None:
        return SyncPart(part=part, missing=missing)
    windows = _windows(observation, channel, face)
    if not windows:
        return SyncPart(part=part, missing="no 1.2 s of unbroken mouth with speech")
    missing, windows = _spoken_by(face, observation, windows)
    return SyncPart(part=part, windows=windows, missing=missing)


def _spoken_by(
    face: FaceWindow, observation: Observation, windows: tuple[SyncWindow, ...]
) -> tuple[str | None, tuple[SyncWindow, ...]]:
    """Windows in which this face can be the speaker; the reason if they are too few.

    A still face under a voice is a listener or a picture under narration: a mismatch, no forgery.
    """
    opening, moving, own = lip_opening(face), [], []
    for window in windows:
        first = int(np.searchsorted(face.frame_index, _first_frame(window)))
        frames = slice(first, first + WINDOW_FRAMES)
        if lip_turns(opening[frames]) >= _FEWEST_TURNS:
            moving.append(window)
            if not outdone(face, observation.faces, face.frame_index[frames]):
                own.append(window)
    if 2 * len(moving) < len(windows):
        return STILL_MOUTH, ()
    clear = tuple(window for window in own if _level_range_db(window) >= _LEAST_RANGE_DB)
    if not own:
        return OTHERS_TURN, ()
    return (CROWD, ()) if 2 * len(clear) < len(own) else (None, clear)


def _level_range_db(window: SyncWindow) -> float:
    """From the quietest tenth to the loudest twentieth of the frames under the mouths."""
    under = window.sound.reshape(SPEECH_FRAMES, SAMPLES_PER_FRAME)
    under = under[MAX_OFFSET_FRAMES : MAX_OFFSET_FRAMES + WINDOW_FRAMES]
    under = under[window.heard[MAX_OFFSET_FRAMES : MAX_OFFSET_FRAMES + WINDOW_FRAMES] > 0]
    if not len(under):
        return 0.0
    level_db = 10 * np.log10(np.square(under.astype(np.float64)).mean(1) + 1e-9)
    quiet, loud = np.percentile(level_db, (10, 95))
    return float(loud - quiet)


def _first_frame(window: SyncWindow) -> int:
    return round(window.segment.start_s * FRAME_RATE_HZ)


def sound_around(
    waveform: NDArray[np.float32], first_sample: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Sound from 15 frames before a window's first mouth to 15 after its last.

    Args:
        waveform: (S,) float32 at 16 kHz.
        first_sample: where the first mouth frame begins in ``waveform``; may lie outside.

    Returns:
        (38400,) float32, zero beyond the edges, and (60,) bool: at least half a frame is there.
    """
    begin = first_sample - MAX_OFFSET_FRAMES * SAMPLES_PER_FRAME
    positions = begin + np.arange(SPEECH_FRAMES * SAMPLES_PER_FRAME)
    inside = (positions >= 0) & (positions < len(waveform))
    sound = np.zeros(len(positions), np.float32)
    sound[inside] = waveform[positions[inside]]
    return sound, inside.reshape(SPEECH_FRAMES, SAMPLES_PER_FRAME).mean(1) >= 0.5


def unbroken_runs(frame_index: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Half-open ranges of consecutive frame numbers, in order."""
    if not len(frame_index):
        return []
    breaks = (np.flatnonzero(np.diff(frame_index) != 1) + 1).tolist()
    return list(zip([0, *breaks], [*breaks, len(frame_index)], strict=True))


def stack_windows(windows: list[SyncWindow], crop_px: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Mouths (N, 30, P, P) in [0, 1], lips (N, 30, 40, 2), sound (N, 38400) and heard (N, 60)."""
    return (
        torch.stack([shrink_mouths(torch.from_numpy(w.mouths), crop_px) for w in windows]),
        torch.from_numpy(np.stack([w.lips for w in windows])),
        torch.from_numpy(np.stack([w.sound for w in windows])),
        torch.from_numpy(np.stack([w.heard for w in windows])),
    )


def _clearest_channel(observation: Observation) -> ChannelAudio | None:
    if not observation.channels:
        return None
    return max(observation.channels, key=lambda channel: total_seconds(channel.speech))


def _speaking_face(observation: Observation) -> FaceWindow | None:
    if len(observation.faces) == 1:
        return observation.faces[0]
    for face in observation.faces:
        if face.track == observation.speaking_track:
            return face
    return None


def _unfit(observation: Observation, channel: ChannelAudio, face: FaceWindow) -> str | None:
    if observation.is_still:
        return "a still picture"
    if not channel.speech:
        return "no speech here"
    if face.size_px < _SMALLEST_FACE_PX:
        return (
            f"face {face.track} is too small: {face.size_px:.0f} px, needs {_SMALLEST_FACE_PX:.0f}"
        )
    if abs(face.yaw_deg) > _WIDEST_YAW_DEG:
        return f"face {face.track} is turned away by {abs(face.yaw_deg):.0f} degrees"
    return None


def _windows(
    observation: Observation, channel: ChannelAudio, face: FaceWindow
) -> tuple[SyncWindow, ...]:
    lips = lip_points(face.landmarks)
    found = []
    for start, stop in unbroken_runs(face.frame_index):
        for first in range(start, stop - WINDOW_FRAMES + 1, HOP_FRAMES):
            begin_s = float(face.frame_index[first]) / FRAME_RATE_HZ
            segment = Segment(begin_s, begin_s + WINDOW_S)
            seen_before = segment.end_s <= observation.fresh.start_s
            speech_s = _speech_within(channel, segment)
            if seen_before or speech_s < _LEAST_SPEECH_S:
                continue
            sound, heard = sound_around(
                channel.waveform, seconds_to_samples(begin_s - observation.segment.start_s)
            )
            found.append(
                SyncWindow(
                    segment=segment,
                    speech_share=min(1.0, speech_s / WINDOW_S),
                    mouths=face.mouths[first : first + WINDOW_FRAMES],
                    lips=lips[first : first + WINDOW_FRAMES],
                    sound=sound,
                    heard=heard.astype(np.float32),
                )
            )
    return tuple(found)


def _speech_within(channel: ChannelAudio, segment: Segment) -> float:
    parts = (stretch.overlap(segment) for stretch in channel.speech)
    return total_seconds(part for part in parts if part is not None)
