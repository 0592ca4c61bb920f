"""Rows of the visual-forgery branch, followed face by face: 5 a second, the longest faces."""

from __future__ import annotations

from collections.abc import Container, Iterator

import numpy as np
from numpy.typing import NDArray

from avdetect.branches.base import BranchOutput
from avdetect.cues.base import Measurement, Outputs
from avdetect.cues.face_series import MOST_TRACKS, absent
from avdetect.observation import Observation

BRANCH = "visual_forgery"
_NOT_RUN = "the visual-forgery branch was not run, whose {} this cue reads"


class Unjudged:
    """Why faces were not judged, of the last few of which nothing else is known."""

    def __init__(self, reads: str) -> None:
        self._reads = reads
        self._reasons: dict[int, str] = {}

    def note(self, observation: Observation, outputs: Outputs) -> None:
        """Remember what keeps faces of an observation from being read."""
        if BRANCH not in outputs:
            reason = _NOT_RUN.format(self._reads)
            self._reasons |= {face.track: reason for face in observation.faces}
        for output in outputs.get(BRANCH, ()):
            if output.part.face_track is not None:
                reason = output.missing or f"the face network gives no {self._reads}"
                self._reasons.setdefault(output.part.face_track, reason)
        self._reasons = dict(list(self._reasons.items())[-MOST_TRACKS:])

    def measurements(self, judged: Container[int]) -> list[Measurement]:
        """An abstention for each face that is not among the judged."""
        faces = sorted(self._reasons.items())
        return [absent(track, reason) for track, reason in faces if track not in judged]


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
