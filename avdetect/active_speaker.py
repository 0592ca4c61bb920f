"""Which face speaks: the one whose lips move while there is speech."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avdetect.observation import ChannelAudio, FaceWindow
from avdetect.timebase import FRAME_RATE_HZ

_UPPER_LIP, _LOWER_LIP, _FOREHEAD, _CHIN = 13, 14, 10, 152
_CLEARLY_MORE = 1.5  # lip motion over the runner-up's before one face is named the speaker


def lip_motion(face: FaceWindow, channels: Sequence[ChannelAudio]) -> float:
    """Mean speed of the lip opening during speech, in face heights a second (0 without speech)."""
    spoken = np.zeros(len(face.frame_index), bool)
    clock_s = face.frame_index / FRAME_RATE_HZ
    for channel in channels:
        for piece in channel.speech:
            spoken |= (clock_s >= piece.start_s) & (clock_s < piece.end_s)
    points = face.landmarks
    height = np.linalg.norm(points[:, _CHIN] - points[:, _FOREHEAD], axis=1)
    opening = np.linalg.norm(points[:, _LOWER_LIP] - points[:, _UPPER_LIP], axis=1)
    ratio = opening / np.maximum(height, 1.0)
    steps = np.diff(face.frame_index)
    usable = (steps == 1) & spoken[1:]
    if usable.sum() < FRAME_RATE_HZ // 5:
        return 0.0
    return float(np.abs(np.diff(ratio))[usable].mean() * FRAME_RATE_HZ)


def speaking_track(faces: Sequence[FaceWindow], channels: Sequence[ChannelAudio]) -> int | None:
    """Track of the speaking face: the only one, or the one that clearly moves its lips most.

    None without faces, without speech, or where two faces move alike.
    """
    if not faces or not any(channel.speech for channel in channels):
        return None
    if len(faces) == 1:
        return faces[0].track
    ranked = sorted(((lip_motion(face, channels), face.track) for face in faces), reverse=True)
    best, runner_up = ranked[0], ranked[1]
    return best[1] if best[0] > 0 and best[0] >= _CLEARLY_MORE * runner_up[0] else None
