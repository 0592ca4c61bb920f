"""The most suspicious moments of each face, kept with their maps while a clip streams by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.branches.base import BranchOutput
from avdetect.observation import FaceWindow, Observation
from avdetect.timebase import seconds_to_frames

_MOST_TRACKS = 12
_MOMENTS_PER_TRACK = 3
_APART_S = 1.0  # nearer moments look alike and would tell the same thing twice


@dataclass(frozen=True, slots=True)
class SuspectMoment:
    """One judged frame: its raw score, (224, 224, 3) uint8 RGB crop and (28, 28) float32 map."""

    time_s: float
    score: float
    picture: NDArray[np.uint8]
    forgery_map: NDArray[np.float32]


class SuspectFaces:
    """At most 3 moments, a second apart, of each of the 12 worst tracks: some 6 MB."""

    def __init__(self) -> None:
        self._moments: dict[int, list[SuspectMoment]] = {}

    def add(self, observation: Observation, outputs: Mapping[str, Sequence[BranchOutput]]) -> None:
        """Take in one observation and what the branches said of it."""
        faces = {face.track: face for face in observation.faces}
        for output in outputs.get("visual_forgery", ()):
            track = output.part.face_track
            if track is not None and output.maps is not None:
                self._look(faces[track], output, output.maps)
        if len(self._moments) > _MOST_TRACKS:
            worst = sorted(self._moments, key=lambda track: -self._moments[track][0].score)
            self._moments = {track: self._moments[track] for track in worst[:_MOST_TRACKS]}

    def moments(self) -> dict[int, tuple[SuspectMoment, ...]]:
        """Track -> its moments, worst first; the track of the worst moment first."""
        worst_first = sorted(self._moments.items(), key=lambda kept: (-kept[1][0].score, kept[0]))
        return {track: tuple(found) for track, found in worst_first}

    def _look(self, face: FaceWindow, output: BranchOutput, maps: NDArray[np.float32]) -> None:
        kept = self._moments.setdefault(face.track, [])
        for row in np.argsort(-output.scores, kind="stable").tolist():
            score = float(output.scores[row])
            if len(kept) >= _MOMENTS_PER_TRACK and score <= kept[-1].score:
                return
            found = np.searchsorted(face.frame_index, seconds_to_frames(output.segments[row, 0]))
            time_s = float(face.frame_s[found])
            near = [moment for moment in kept if abs(moment.time_s - time_s) < _APART_S]
            if any(moment.score >= score for moment in near):
                continue
            kept[:] = [moment for moment in kept if abs(moment.time_s - time_s) >= _APART_S]
            # Copies: a slice would keep the whole observation alive.
            moment = SuspectMoment(time_s, score, face.faces[found].copy(), maps[row].copy())
            kept.append(moment)
            kept.sort(key=lambda moment: -moment.score)
            del kept[_MOMENTS_PER_TRACK:]
