"""Which face speaks: the one whose lips move while there is speech."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from avdetect.observation import ChannelAudio, FaceWindow
from avdetect.timebase import FRAME_RATE_HZ

_UPPER_LIP, _LOWER_LIP, _FOREHEAD, _CHIN = 13, 14, 10, 152
_LEAST_TURN = 0.006  # of the face's height: less is the mesh trembling
_CLEARLY_MORE = 1.5  # lip motion over the runner-up's before one face is named the speaker


def lip_opening(face: FaceWindow) -> NDArray[np.float64]:
    """(T,) how far the lips are apart in each frame, in face heights."""
    points = face.landmarks.astype(np.float64)
    height = np.linalg.norm(points[:, _CHIN] - points[:, _FOREHEAD], axis=1)
    opening = np.linalg.norm(points[:, _LOWER_LIP] - points[:, _UPPER_LIP], axis=1)
    return np.asarray(opening / np.maximum(height, 1.0))


def lip_turns(opening: NDArray[np.float64]) -> int:
    """How often the lips turn from opening to closing or back; a syllable gives two.

    Speech tells itself from smiles and jaws hanging open by its rhythm more than by its size.

    Args:
        opening: (T,) from `lip_opening`, of consecutive frames.
    """
    turns, direction, extreme = 0, 0, float(opening[0])
    for value in opening[1:].tolist():
        if direction * (value - extreme) >= 0 and direction:
            extreme = value  # goes on
        elif abs(value - extreme) > _LEAST_TURN:
            turns += direction != 0
            direction, extreme = (1 if value > extreme else -1), value
    return turns


def lip_motion(face: FaceWindow, channels: Sequence[ChannelAudio]) -> float:
    """Mean speed of the lip opening during speech, in face heights a second (0 without speech)."""
    spoken = _spoken(face, channels)
    usable = (np.diff(face.frame_index) == 1) & spoken[1:]
    if usable.sum() < FRAME_RATE_HZ // 5:
        return 0.0
    return float(np.abs(np.diff(lip_opening(face)))[usable].mean() * FRAME_RATE_HZ)


def outdone(face: FaceWindow, others: Sequence[FaceWindow], frames: NDArray[np.int64]) -> bool:
    """Whether another face on the screen moves its lips clearly more in these frames."""
    own = _motion_within(face, frames)
    return any(
        (motion := _motion_within(other, frames)) is not None
        and (own is None or motion > _CLEARLY_MORE * own)
        for other in others
        if other.track != face.track
    )


def speaking_track(faces: Sequence[FaceWindow], channels: Sequence[ChannelAudio]) -> int | None:
    """Track of the speaking face: the only one, or one that clearly moves its lips most.

    Only faces that are on the screen together compete; of several that speak one after the other,
    across a cut, it is the one seen longest during speech. None without faces, without speech, or
    where two faces move alike.
    """
    if not faces or not any(channel.speech for channel in channels):
        return None
    if len(faces) == 1:
        return faces[0].track
    motions = {face.track: lip_motion(face, channels) for face in faces}
    clear = [
        face
        for face in faces
        if motions[face.track] > 0
        and all(
            motions[face.track] >= _CLEARLY_MORE * motions[other.track]
            for other in faces
            if other.track != face.track and _together(face, other)
        )
    ]
    longest = max(clear, key=lambda face: int(_spoken(face, channels).sum()), default=None)
    return longest.track if longest is not None else None


def _spoken(face: FaceWindow, channels: Sequence[ChannelAudio]) -> NDArray[np.bool_]:
    spoken = np.zeros(len(face.frame_index), bool)
    clock_s = face.frame_index / FRAME_RATE_HZ
    for channel in channels:
        for piece in channel.speech:
            spoken |= (clock_s >= piece.start_s) & (clock_s < piece.end_s)
    return spoken


def _together(face: FaceWindow, other: FaceWindow) -> bool:
    return len(np.intersect1d(face.frame_index, other.frame_index)) > 0


def _motion_within(face: FaceWindow, frames: NDArray[np.int64]) -> float | None:
    """Mean change of the lip opening from frame to frame; None if it is hardly there."""
    inside = np.isin(face.frame_index, frames)
    if inside.sum() < len(frames) / 2:
        return None
    return float(np.abs(np.diff(lip_opening(face)[inside])).mean())
