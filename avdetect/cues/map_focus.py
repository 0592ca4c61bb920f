"""Focus of the forgery maps: a manipulated region is one, holds still on the face, and has a place.

Dang et al., "On the Detection of Digital Face Manipulation" (2020): attention maps locate what was
manipulated; IINC tells how far two regions contain each other. Here it is taken between successive
moments: a region that is there stays, an accident of the network wanders.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.branches.base import BranchOutput
from avdetect.cues.base import (
    ClipFacts,
    Cue,
    CueFigure,
    CuePicture,
    CueTools,
    Measurement,
    Medium,
    Outputs,
    Truth,
)
from avdetect.cues.face_parts import PARTS, part_masks
from avdetect.cues.face_rows import Unjudged, judged_faces, longest
from avdetect.cues.face_series import absent
from avdetect.observation import Observation
from avdetect.types import Part, Segment

LEAST_S = 1.0
_LEAST_MAPS = 5  # one second at 5 Hz
_REGION_SHARE = 0.1  # of the cells that the network sees: what a map marks most
_CELL_PX = 10
_FLOOR = 1e-3  # of a map's level

Array = NDArray[np.float64]


def iinc(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Inverse intersection non-containment of two regions (Dang et al. 2020, equation 7), 0..1.

    Args:
        first: (N,) or (H, W) where one region is.
        second: of the same shape; 0 is the same region, 1 / (3 - union) two that do not meet.
    """
    scale = 3.0 - float(np.mean(first | second))
    if not first.any() or not second.any():
        return 0.0 if first.any() == second.any() else 1.0 / scale
    common = np.count_nonzero(first & second)
    outside = 2.0 - common / np.count_nonzero(first) - common / np.count_nonzero(second)
    return float(outside / scale)


@dataclass(slots=True)
class _Focus:
    """Running sums of one face's maps."""

    first_s: float
    last_s: float = 0.0
    n: int = 0
    n_pairs: int = 0
    total: Array = field(default_factory=lambda: np.zeros((28, 28)))
    single: Array = field(default_factory=lambda: np.zeros(2 + len(PARTS)))
    paired: Array = field(default_factory=lambda: np.zeros(2))
    before: Array | None = None

    def add(self, forgery_map: Array) -> None:
        seen = forgery_map[part_masks()["view"]]
        self.total += forgery_map
        self.single += _described(forgery_map)
        self.n += 1
        if self.before is not None:
            self.paired += (
                _correlation(self.before, seen),
                iinc(_region(self.before), _region(seen)),
            )
            self.n_pairs += 1
        self.before = seen


def _described(forgery_map: Array) -> Array:
    """Level and concentration of one map, and how much each part stands out from the face."""
    masks = part_masks()
    seen = np.sort(forgery_map[masks["view"]])
    n_region = round(_REGION_SHARE * len(seen))
    level = float(forgery_map[masks["face"]].mean()) + _FLOOR
    concentration = seen[-n_region:].sum() / max(float(seen.sum()), 1e-9)
    parts = [np.log((forgery_map[masks[name]].mean() + _FLOOR) / level) for name in PARTS]
    return np.array([np.log(level / (1.0 + _FLOOR - min(level, 1.0))), concentration, *parts])


def _region(seen: Array) -> NDArray[np.bool_]:
    """The cells a map marks most, always as many."""
    region = np.zeros(len(seen), bool)
    region[np.argsort(seen, kind="stable")[-round(_REGION_SHARE * len(seen)) :]] = True
    return region


def _correlation(first: Array, second: Array) -> float:
    a, b = first - first.mean(), second - second.mean()
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / scale if scale > 1e-12 else 0.0


class _MapFocus:
    def __init__(self, clip: ClipFacts) -> None:
        self._is_still = clip.is_still
        self._unjudged = Unjudged("maps")
        self._faces: dict[int, _Focus] = {}

    def add(self, observation: Observation, outputs: Outputs) -> None:
        """Add up the maps of each face."""
        if self._is_still:
            return
        self._unjudged.note(observation, outputs)
        for track, output in judged_faces(outputs):
            self._add(track, output)
        kept = longest({track: focus.n for track, focus in self._faces.items()})
        self._faces = {track: self._faces[track] for track in kept}

    def measurements(self) -> list[Measurement]:
        """Where the maps point, how narrowly, and whether they keep pointing there."""
        judged = [_measured(track, focus) for track, focus in sorted(self._faces.items())]
        return judged + self._unjudged.measurements(self._faces)

    def figures(self) -> list[CueFigure]:
        """The mean map of the longest faces, with the parts of a face drawn in."""
        found = [(track, focus) for track, focus in self._faces.items() if focus.n >= _LEAST_MAPS]
        found.sort(key=lambda pair: -pair[1].n)
        return [
            CuePicture(
                part=Part(face_track=track),
                pixels=_drawn(focus.total / focus.n),
                caption="Mean forgery map of the face; drawn in: eyes, mouth and the face's rim.",
                shows_person=False,
            )
            for track, focus in found[:4]
        ]

    def _add(self, track: int, output: BranchOutput) -> None:
        if output.maps is None:
            return
        focus = self._faces.setdefault(track, _Focus(first_s=float(output.segments[0, 0])))
        focus.last_s = float(output.segments[-1, 1])
        for forgery_map in output.maps.astype(np.float64):
            focus.add(forgery_map)


def _measured(track: int, focus: _Focus) -> Measurement:
    if focus.n < _LEAST_MAPS:
        return absent(track, f"face {track} has {focus.n} forgery maps, {_LEAST_MAPS} needed")
    single, paired = focus.single / focus.n, focus.paired / focus.n_pairs
    place = PARTS[int(single[2:].argmax())]
    return Measurement(
        medium=Medium.VIDEO,
        part=Part(face_track=track),
        segment=Segment(focus.first_s, focus.last_s),
        features=(*(float(v) for v in single), *(float(v) for v in paired)),
        value=float(paired[1]),
        text=(
            f"a tenth of the face carries {100 * single[1]:.0f} % of the maps, most at the "
            f"{place}; successive regions miss each other by {paired[1]:.2f} (IINC, 0: the same)"
        ),
    )


def _drawn(mean: Array) -> NDArray[np.uint8]:
    """(280, 280, 3) the map, brightest where it marks most, with outlines of the parts."""
    span = max(float(mean.max()), 1e-6)
    grey = cv2.resize((255.0 * mean / span).astype(np.uint8), None, fx=_CELL_PX, fy=_CELL_PX)
    heat = cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    for name in (*PARTS, "face"):
        mask = np.kron(part_masks()[name], np.ones((_CELL_PX, _CELL_PX))).astype(np.uint8)
        outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(heat, outlines, -1, (120, 220, 120), 1)
    return np.asarray(heat, np.uint8)


def _start(clip: ClipFacts, tools: CueTools) -> _MapFocus:
    return _MapFocus(clip)


CUE = Cue(
    name="map_focus",
    title="Focus of the forgery maps",
    measures="Whether what the face network marks as forged is one region that stays in its place.",
    reference="Dang et al. 2020, On the Detection of Digital Face Manipulation (maps, IINC)",
    features=(
        "log_odds_level",
        "concentration",
        *(f"log_{name}_over_face" for name in PARTS),
        "agreement_over_time",
        "iinc_over_time",
    ),
    truth=Truth.VIDEO,
    media=(Medium.VIDEO,),
    start=_start,
    least_s=LEAST_S,
)
