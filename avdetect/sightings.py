"""Where each face was seen and what was said of it, remembered to be drawn into the clip again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from avdetect.branches.base import BranchOutput
from avdetect.calibration import Calibration
from avdetect.faces.align import face_transform
from avdetect.observation import FaceWindow, Observation
from avdetect.timebase import FRAME_RATE_HZ


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSightings:
    """One face track on the clip's 25 Hz clock: T ticks seen, L of them judged.

    Attributes:
        track: number of the face track.
        ticks: (T,) int64 ascending.
        boxes: (T, 4) float32 left, top, right, bottom in pixels of the picture handed out.
        transforms: (T, 2, 3) float32 from those pixels to the face crop's.
        judged_ticks: (L,) int64 ascending.
        fake_llrs: (L,) float32, each frame's own calibrated LLR; indicative.
        maps: (L, 28, 28) uint8, 255 = surely forged there.
    """

    track: int
    ticks: NDArray[np.int64]
    boxes: NDArray[np.float32]
    transforms: NDArray[np.float32]
    judged_ticks: NDArray[np.int64]
    fake_llrs: NDArray[np.float32]
    maps: NDArray[np.uint8]


@dataclass(slots=True)
class _Track:
    ticks: list[NDArray[np.int64]] = field(default_factory=list)
    boxes: list[NDArray[np.float32]] = field(default_factory=list)
    transforms: list[NDArray[np.float32]] = field(default_factory=list)
    judged_ticks: list[NDArray[np.int64]] = field(default_factory=list)
    fake_llrs: list[NDArray[np.float32]] = field(default_factory=list)
    maps: list[NDArray[np.uint8]] = field(default_factory=list)


class Sightings:
    """Grows by 5 kilobytes per second of each face; no pictures.

    Args:
        calibration: of the visual-forgery branch.
    """

    def __init__(self, calibration: Calibration) -> None:
        self._calibration = calibration
        self._tracks: dict[int, _Track] = defaultdict(_Track)

    def add(self, observation: Observation, outputs: Mapping[str, Sequence[BranchOutput]]) -> None:
        """Take in one observation and what the branches said of it."""
        for face in observation.faces:
            self._see(face)
        for output in outputs.get("visual_forgery", ()):
            if output.part.face_track is not None and output.maps is not None:
                self._hear_of(self._tracks[output.part.face_track], output, output.maps)

    def tracks(self) -> tuple[TrackSightings, ...]:
        """Everything remembered, by number of the track."""
        return tuple(
            TrackSightings(
                track=number,
                ticks=np.concatenate(found.ticks),
                boxes=np.concatenate(found.boxes),
                transforms=np.concatenate(found.transforms),
                judged_ticks=np.concatenate([np.zeros(0, np.int64), *found.judged_ticks]),
                fake_llrs=np.concatenate([np.zeros(0, np.float32), *found.fake_llrs]),
                maps=np.concatenate([np.zeros((0, 28, 28), np.uint8), *found.maps]),
            )
            for number, found in sorted(self._tracks.items())
        )

    def _see(self, face: FaceWindow) -> None:
        track = self._tracks[face.track]
        # The ticks not seen before; a photograph has but one.
        known = int(track.ticks[-1][-1]) if track.ticks else -1
        fresh = np.flatnonzero(face.frame_index > known)
        if len(fresh) == 0:
            return
        track.ticks.append(face.frame_index[fresh])
        track.boxes.append(face.boxes[fresh])
        shapes = [face_transform(points) for points in face.landmarks[fresh]]
        track.transforms.append(np.asarray(shapes, np.float32))

    def _hear_of(self, track: _Track, output: BranchOutput, maps: NDArray[np.float32]) -> None:
        starts = output.segments[:, 0] * FRAME_RATE_HZ
        track.judged_ticks.append(np.rint(starts).astype(np.int64))
        llrs = [self._calibration.fake_llr(float(score)) for score in output.scores]
        track.fake_llrs.append(np.asarray(llrs, np.float32))
        track.maps.append(np.rint(255 * maps).astype(np.uint8))
