"""Follow several faces through shots: boxes are proposed a few times a second, the mesh follows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from avdetect.faces.detect import Box, FaceFinder, FaceMeasure, iou
from avdetect.types import MAX_FACES

_PROPOSE_EVERY = 5  # ticks of the 25 Hz clock: a first face is noticed within 0.2 s
_PROPOSE_MORE_EVERY = 12  # ticks, while a face is followed already: looking for more costs time
_TURN_EVERY = 50  # ticks, while no face is seen: looking for faces that lie or hang costs more
_LOST_AFTER = 12  # ticks without a mesh before a track ends: half a second
_SAME_TRACK_IOU = 0.3
_CLEARLY_LARGER = 1.5  # side of a new face over that of the smallest followed, to take its place


@dataclass(slots=True)
class _Track:
    number: int
    shot: int
    last: FaceMeasure
    missed: int = 0


@dataclass(slots=True)
class FaceTracker:
    """Streaming tracker of one scan.

    ``update`` is called once per new source picture, in time order, and gives the faces found in
    it by track number. A track never crosses a cut. Numbers count from 0 in order of appearance.
    Once ``max_faces`` are followed, a clearly larger new face ends the track of the smallest.
    """

    finder: FaceFinder
    max_faces: int = MAX_FACES
    thorough: bool = False  # for photographs: time is no matter, crowds are usual
    shot: int = 0
    n_unfollowed: int = 0
    _tracks: list[_Track] = field(default_factory=list)
    _n_tracks: int = 0
    _since_proposal: int = 0
    _since_turned: int = _TURN_EVERY

    def update(
        self, picture: NDArray[np.uint8], *, new_shot: bool, ticks: int = 1
    ) -> dict[int, FaceMeasure]:
        """Faces in ``picture`` ((H, W, 3) uint8 RGB) by track number.

        Args:
            picture: the next picture.
            new_shot: True where it starts a shot; all tracks end there.
            ticks: 25 Hz ticks since the previous picture.
        """
        if new_shot:
            self._tracks.clear()
            self.shot += 1
        self._since_proposal += ticks
        self._since_turned += ticks
        found = self._follow(picture, ticks)
        patience = _PROPOSE_MORE_EVERY if found else _PROPOSE_EVERY
        if new_shot or self._since_proposal >= patience or self._n_tracks == 0:
            self._since_proposal = 0
            found |= self._discover(picture, self.finder.propose(picture, thorough=self.thorough))
            if not self._tracks and (new_shot or self._since_turned >= _TURN_EVERY):
                self._since_turned = 0
                found |= self._discover(picture, self.finder.propose_turned(picture))
        return found

    def _follow(self, picture: NDArray[np.uint8], ticks: int) -> dict[int, FaceMeasure]:
        found: dict[int, FaceMeasure] = {}
        for track in self._tracks:
            measure = self.finder.measure(picture, track.last.box, track.last.quarter_turns)
            moved_onto_another = measure is not None and any(
                iou(measure.box, other.box) > _SAME_TRACK_IOU for other in found.values()
            )
            if measure is None or moved_onto_another:
                track.missed += ticks
            else:
                track.last, track.missed = measure, 0
                found[track.number] = measure
        self._tracks = [track for track in self._tracks if track.missed <= _LOST_AFTER]
        return found

    def _discover(self, picture: NDArray[np.uint8], boxes: list[Box]) -> dict[int, FaceMeasure]:
        found: dict[int, FaceMeasure] = {}
        for box in boxes:
            if any(iou(box, track.last.box) > _SAME_TRACK_IOU / 2 for track in self._tracks):
                continue
            smallest = self._smallest_where_full()
            if smallest is not None and _side(box) <= smallest.last.size_px:
                self.n_unfollowed += 1
                continue
            measure = self.finder.measure(picture, box, self.finder.upright(picture, box))
            if measure is None or any(
                iou(measure.box, track.last.box) > _SAME_TRACK_IOU for track in self._tracks
            ):
                continue
            if smallest is not None:
                self.n_unfollowed += 1  # either of the two
                if measure.size_px < _CLEARLY_LARGER * smallest.last.size_px:
                    continue
                self._tracks = [track for track in self._tracks if track is not smallest]
            track = _Track(self._n_tracks, self.shot, measure)
            self._n_tracks += 1
            self._tracks.append(track)
            found[track.number] = measure
        return found

    def _smallest_where_full(self) -> _Track | None:
        """The track that a larger face may take the place of; None while there is room."""
        if len(self._tracks) < self.max_faces:
            return None
        return min(self._tracks, key=lambda track: (track.last.size_px, track.number))


def _side(box: Box) -> float:
    return max(box[2] - box[0], box[3] - box[1])
