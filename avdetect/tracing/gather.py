"""One pass over a clip: pictures at native pixels and sound at 16 kHz, as much as tracing needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.faces.detect import FaceFinder
from avdetect.media.clip import AudioChunk, Clip, PictureFrame
from avdetect.media.picture import MAX_SHOWN_PX
from avdetect.nn.fingerprint_network import BLOCK_PX
from avdetect.timebase import SAMPLE_RATE_HZ

MOST_SOUND_S = 60.0
MOST_FRAMES = 8
_FRAME_EVERY_S = 0.5
_FACE_MARGIN = 1.3  # crop side over box side: hair and chin are made, too

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What of a clip tracing looks at.

    Attributes:
        pictures: the photograph, or faces (whole frames where there is none) of a video, each
            (H, W, 3) uint8 RGB at native pixels and at least 64 px high and wide.
        no_pictures: why there are none, or None.
        sound: (C, S) float32 at 16 kHz, at most `MOST_SOUND_S`; C = 0 without sound.
    """

    pictures: tuple[Picture, ...]
    no_pictures: str | None
    sound: NDArray[np.float32]


def gather(clip: Clip, *, pictures: bool = True, sound: bool = True) -> Gathered:
    """Read a clip until enough is known.

    Args:
        clip: an open clip; it is read once.
        pictures: look.
        sound: listen.

    Raises:
        InputError: the clip cannot be decoded.
    """
    frames: list[Picture] = []
    chunks: list[NDArray[np.float32]] = []
    next_s = heard_s = 0.0
    want_video, want_sound = pictures and clip.has_video, sound and clip.has_audio
    for item in clip.chunks(want_video=want_video):
        if isinstance(item, AudioChunk) and want_sound and heard_s < MOST_SOUND_S:
            chunks.append(item.waveform)
            heard_s += item.waveform.shape[1] / SAMPLE_RATE_HZ
        elif isinstance(item, PictureFrame) and len(frames) < MOST_FRAMES:
            if item.time_s >= next_s:
                frames.append(item.picture)
                next_s = item.time_s + _FRAME_EVERY_S
        enough_seen = not want_video or len(frames) >= MOST_FRAMES
        if enough_seen and (not want_sound or heard_s >= MOST_SOUND_S):
            break
    heard = np.concatenate(chunks, axis=1) if chunks else np.zeros((0, 0), np.float32)
    kept, reason = _usable(clip, frames)
    return Gathered(pictures=kept, no_pictures=reason, sound=heard)


def _usable(clip: Clip, frames: list[Picture]) -> tuple[tuple[Picture, ...], str | None]:
    if not frames:
        return (), "no picture"
    if _was_shrunk(clip):
        return (), (
            f"the picture is larger than {MAX_SHOWN_PX} px and was made smaller, which wipes out "
            "traces: cut out the face without resizing and trace that"
        )
    pictures = frames if clip.is_still else _faces(frames) or frames
    kept = tuple(p for p in pictures if min(p.shape[:2]) >= BLOCK_PX)
    if kept:
        return kept, None
    height, width = pictures[0].shape[:2]
    what = "picture" if clip.is_still else "face"
    return (), f"the {what} is too small: {width}x{height} px, {BLOCK_PX} px each way are needed"


def _was_shrunk(clip: Clip) -> bool:
    sizes = [(s.width, s.height) for s in clip.streams if s.kind != "audio"]
    return any(max(width or 0, height or 0) > MAX_SHOWN_PX for width, height in sizes)


def _faces(frames: list[Picture]) -> list[Picture]:
    """The largest face of each frame, cut on the native grid."""
    crops = []
    with FaceFinder() as finder:
        for frame in frames:
            boxes = finder.propose(frame)
            if boxes:
                crops.append(_crop(frame, boxes[0]))
    return crops


def _crop(frame: Picture, box: tuple[float, float, float, float]) -> Picture:
    height, width = frame.shape[:2]
    half = _FACE_MARGIN * max(box[2] - box[0], box[3] - box[1], BLOCK_PX / _FACE_MARGIN) / 2
    centre_x, centre_y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    left, right = max(0, int(centre_x - half)), min(width, int(centre_x + half) + 1)
    top, bottom = max(0, int(centre_y - half)), min(height, int(centre_y + half) + 1)
    return frame[top:bottom, left:right]
