"""Blinks: how often and how far the eyes close, against the range of people.

Li, Chang & Lyu, "In Ictu Oculi" (2018): faces that were generated from pictures of open eyes blink
seldom or half. A blink is a short dip of the eye aspect ratio (Soukupova & Cech 2016) below the
level at which this face holds its eyes open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter, percentile_filter

from avdetect.cues.base import Cue, CueCurve, Measurement, Medium, Truth
from avdetect.cues.face_series import FaceSeries, Piece, Series, SeriesRecipe
from avdetect.observation import FaceWindow, Observation
from avdetect.timebase import FRAME_RATE_HZ

LEAST_S = 6.0  # in conversation people blink two or three times in it
HUMAN_PER_MINUTE = (4.5, 26.0)  # reading to conversation: Bentivoglio et al. 1997
# Corner, two points of the upper lid, corner, two of the lower lid below them.
_EYES = ((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380))

_OPEN_SPAN_S = 3.0  # over which an eye is somewhere open: gaze and pose drift more slowly
_ENTER, _LEAVE = 0.25, 0.12  # closure at which a blink begins and has ended
_NOISE_FACTOR = 5.0  # a blink stands this far above the tremble of the mesh
_ONE_EYE_SHARE = 0.5  # of a blink's depth that the lazier eye must follow, or it is a wink
_SHORTEST_S, _LONGEST_S = 0.07, 0.8  # a tremble; eyes that are closed or look down
_MOST_CURVE_POINTS = 2000


@dataclass(frozen=True, slots=True)
class Blink:
    """One blink: when it was deepest, how far the eyes closed (1: shut), how long it lasted."""

    time_s: float
    depth: float
    duration_s: float


def eye_aspect_ratios(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """(T, 478, 2) mesh points to (T, 2): height over width of the left and of the right eye."""
    points = np.asarray(landmarks, np.float64)
    ratios = []
    for corner, upper, upper2, corner2, lower2, lower in _EYES:
        heights = _distance(points, upper, lower) + _distance(points, upper2, lower2)
        ratios.append(heights / (2.0 * np.maximum(_distance(points, corner, corner2), 1e-6)))
    return np.stack(ratios, 1)


def closures(piece: Piece) -> NDArray[np.float64]:
    """(N, 2) how far each eye is closed: 0 as open as this face holds it then, 1 shut."""
    span = round(_OPEN_SPAN_S * FRAME_RATE_HZ) | 1
    wide = percentile_filter(piece.values, 65, size=(span, 1), mode="nearest")
    open_level = median_filter(wide, size=(span // 3 | 1, 1), mode="nearest")
    return np.asarray(1.0 - piece.values / np.maximum(open_level, 1e-6))


def find_blinks(piece: Piece) -> list[Blink]:
    """Every short dip of both eyes, in time order."""
    closed = closures(piece)
    both = closed.mean(1)
    tremble = float(np.median(np.abs(np.diff(both)))) if len(both) > 1 else 0.0
    enter = max(_ENTER, _NOISE_FACTOR * tremble)
    blinks, end = [], 0
    for peak in np.flatnonzero(both > enter).tolist():
        if peak < end:
            continue
        first, end = _extent(both, peak, max(_LEAVE, 0.4 * enter))
        if first == 0 or end == len(both):
            continue  # it may have begun before or end later: not seen whole
        deepest = first + int(both[first:end].argmax())
        duration_s = (end - first) / FRAME_RATE_HZ
        depth = float(both[deepest])
        lasts = _SHORTEST_S <= duration_s <= _LONGEST_S
        if lasts and closed[deepest].min() >= _ONE_EYE_SHARE * depth:
            blinks.append(Blink(float(piece.time_s[deepest]), depth, duration_s))
    return blinks


def _extent(both: NDArray[np.float64], peak: int, leave: float) -> tuple[int, int]:
    """First row and end of the rows around ``peak`` that are above ``leave``."""
    below = both <= leave
    before, after = np.flatnonzero(below[:peak]), np.flatnonzero(below[peak:])
    first = int(before[-1]) + 1 if len(before) else 0
    return first, peak + int(after[0]) if len(after) else len(both)


def _distance(points: NDArray[np.float64], a: int, b: int) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(points[:, a] - points[:, b], axis=1))


def _extract(observation: Observation, face: FaceWindow, rows: NDArray[np.int64]) -> Series:
    return eye_aspect_ratios(face.landmarks[rows]).astype(np.float32)


def _measure(series: FaceSeries) -> Measurement:
    pieces = series.pieces()
    blinks = [blink for piece in pieces for blink in find_blinks(piece)]
    closed = np.concatenate([closures(piece) for piece in pieces])
    minutes = sum(piece.duration_s for piece in pieces) / 60.0
    rate = len(blinks) / minutes
    deepest = float(np.percentile(closed.mean(1), 99.5))
    depth = np.median([blink.depth for blink in blinks]) if blinks else 0.0
    seen = f", closing {100 * float(depth):.0f} % of the way" if blinks else ""
    return Measurement(
        medium=Medium.VIDEO,
        part=series.part,
        segment=series.segment,
        features=(
            float(np.log2(1.0 + rate)),  # 0 without a blink, however long the clip is
            deepest,
            _together(closed),
            float(np.log10(np.abs(np.diff(closed.mean(1))).mean() + 1e-4)),
        ),
        value=rate,
        text=f"{len(blinks)} blinks in {60 * minutes:.0f} s, {rate:.0f} a minute{seen}",
    )


def _together(closed: NDArray[np.float64]) -> float:
    """Correlation of the two eyes' movements, 0 where one of them does not move at all."""
    steps = np.diff(closed, axis=0)
    power = float(np.sqrt((steps[:, 0] ** 2).mean() * (steps[:, 1] ** 2).mean()))
    return float((steps[:, 0] * steps[:, 1]).mean() / power) if power > 1e-9 else 0.0


def _draw(series: FaceSeries) -> CueCurve:
    pieces = series.pieces()
    time_s = np.concatenate([piece.time_s for piece in pieces])[:_MOST_CURVE_POINTS]
    closed = np.concatenate([closures(piece).mean(1) for piece in pieces])[:_MOST_CURVE_POINTS]
    blinks = [blink.time_s for piece in pieces for blink in find_blinks(piece)]
    low, high = HUMAN_PER_MINUTE
    return CueCurve(
        part=series.part,
        x=time_s,
        y=closed,
        x_name="time, s",
        y_name="eyes closed, share of the open eye",
        marks=tuple(moment for moment in blinks if moment <= time_s[-1]),
        caption=f"Lines mark blinks; people blink {low:g} to {high:g} times a minute.",
    )


_RECIPE = SeriesRecipe(extract=_extract, measure=_measure, draw=_draw, least_s=LEAST_S)

CUE = Cue(
    name="blink",
    title="Blinking",
    measures="How often and how far the eyes close: people blink, forged faces seldom or half.",
    reference="Li, Chang & Lyu 2018, In Ictu Oculi; Soukupova & Cech 2016; Bentivoglio et al. 1997",
    unit="blinks a minute",
    features=(
        "log2_1_plus_blinks_per_minute",
        "deepest_closure",
        "eyes_together",
        "log10_lid_tremble",
    ),
    truth=Truth.VIDEO,
    media=(Medium.VIDEO,),
    start=_RECIPE.start,
    least_s=LEAST_S,
)
