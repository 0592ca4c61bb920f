"""The frames of a face track laid into stretches of one second, as the temporal head reads them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from avdetect.faces.motion import MOTION_WIDTH, face_motion
from avdetect.nn.temporal_head import Stretch
from avdetect.timebase import FRAME_RATE_HZ

STRETCH_FRAMES = FRAME_RATE_HZ
LEAST_FRAMES = 8  # fewer new pictures in a stretch show no movement worth a score


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackFrames:
    """What is known of T frames of one track, in time order.

    Attributes:
        frame_index: (T,) int64 position on the 25 Hz clock.
        frame_s: (T,) float64 true presentation time of the picture shown there, seconds.
        landmarks: (T, 478, 2) mesh points in picture pixels.
        tokens: (T, D) float32 of the frame network.
        scores: (T,) float32 of the frame network.
    """

    frame_index: NDArray[np.int64]
    frame_s: NDArray[np.float64]
    landmarks: NDArray[np.floating]
    tokens: NDArray[np.float32]
    scores: NDArray[np.float32]


def stretches_of(frames: TrackFrames) -> tuple[Stretch, NDArray[np.int64]]:
    """Lay frames into stretches, from the first frame on.

    A picture that the clock shows twice counts once, so that 10 frames a second are ten.

    Args:
        frames: T >= 1.

    Returns:
        K stretches of `STRETCH_FRAMES` places, and the stretch of each frame (T,). A stretch of
        fewer than `LEAST_FRAMES` pictures has none present.
    """
    offset = frames.frame_index - frames.frame_index[0]
    stretch_of, place = np.divmod(offset, STRETCH_FRAMES)
    n = int(stretch_of[-1]) + 1
    is_new = np.diff(frames.frame_s, prepend=-np.inf) > 0.0
    enough = np.bincount(stretch_of, is_new, n) >= LEAST_FRAMES
    present = np.zeros((n, STRETCH_FRAMES), bool)
    present[stretch_of, place] = is_new & enough[stretch_of]

    def laid(values: NDArray[np.floating], *shape: int) -> torch.Tensor:
        grid = np.zeros((n, STRETCH_FRAMES, *shape), np.float32)
        grid[stretch_of, place] = values
        return torch.from_numpy(grid)

    motion = np.concatenate(
        [face_motion(frames.landmarks[stretch_of == k]) for k in np.unique(stretch_of)]
    )
    stretch = Stretch(
        tokens=laid(frames.tokens, frames.tokens.shape[1]),
        scores=laid(frames.scores),
        motion=laid(motion, MOTION_WIDTH),
        times_s=laid(frames.frame_s - frames.frame_s[0]),
        present=torch.from_numpy(present),
    )
    return stretch, stretch_of
