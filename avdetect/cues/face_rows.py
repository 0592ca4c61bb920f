"""Rows of the visual-forgery branch, followed face by face: 5 a second, the longest faces."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from avdetect.branches.base import BranchOutput
from avdetect.cues.base import Outputs
from avdetect.cues.face_series import MOST_TRACKS

BRANCH = "visual_forgery"
NOT_RUN = "the visual-forgery branch said nothing of the clip"


def judged_faces(outputs: Outputs) -> Iterator[tuple[int, BranchOutput]]:
    """Faces of which the branch judged a frame in this observation, by track."""
    for output in outputs.get(BRANCH, ()):
        if output.part.face_track is not None and len(output.scores):
            yield output.part.face_track, output


def longest(lengths: dict[int, int]) -> list[int]:
    """Tracks to remember: the longest `MOST_TRACKS`, in order of appearance."""
    kept = sorted(lengths, key=lambda track: -lengths[track])[:MOST_TRACKS]
    return sorted(kept)


def cosines(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N, D) twice to the (N,) cosines of their rows; 0 where one is nothing."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    scale = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(1) / np.maximum(scale, 1e-12))
