"""Head and lips: who speaks nods with it; a mouth painted onto another's head does not.

Agarwal, Farid et al., "Protecting World Leaders Against Deep Fakes" (2019): movements of the head
and of the mouth are correlated in a way that re-enactment and lip-sync break.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avdetect.active_speaker import lip_opening
from avdetect.cues.base import Cue, CueCurve, Measurement, Medium, Truth
from avdetect.cues.face_series import FaceSeries, Series, SeriesRecipe, absent
from avdetect.cues.head_pose import head_pose, head_speed
from avdetect.cues.lags import WINDOW_S, Coupling, coupling, in_band, windows
from avdetect.observation import FaceWindow, Observation
from avdetect.timebase import FRAME_RATE_HZ

LEAST_S = WINDOW_S
_STILL_LIPS = 0.004  # of the face's height: less is the mesh trembling
_LIPS, _PITCH = 0, 6  # columns: the lips' opening, then the six of the pose

Array = NDArray[np.float64]


def _extract(observation: Observation, face: FaceWindow, rows: NDArray[np.int64]) -> Series:
    pose = head_pose(face.landmarks[rows])
    return np.column_stack([lip_opening(face)[rows], pose]).astype(np.float32)


def _windows(series: FaceSeries) -> list[Array]:
    """(100, 7) windows in which the lips move: opening and pose."""
    cut = [piece.values[rows] for piece in series.pieces() for rows in windows(len(piece.values))]
    return [window for window in cut if in_band(window[:, _LIPS]).std() >= _STILL_LIPS]


def _nods(moving: list[Array]) -> Coupling:
    """Of the lips' opening with the head's pitch."""
    return coupling((in_band(w[:, _LIPS]), in_band(w[:, _PITCH])) for w in moving)


def _speeds(moving: list[Array]) -> Coupling:
    """Of how fast the lips move with how fast the head does."""
    return coupling((_smooth(_lip_speed(w)), _smooth(head_speed(w[:, 1:]))) for w in moving)


def _lip_speed(window: Array) -> Array:
    return np.asarray(np.abs(np.gradient(window[:, _LIPS])) * FRAME_RATE_HZ)


def _smooth(values: Array) -> Array:
    return np.convolve(values, np.full(5, 0.2), "same")


def _measure(series: FaceSeries) -> Measurement:
    moving = _windows(series)
    if not moving:
        return absent(series.track, f"the lips of {series.part} hardly move")
    nods, speeds = _nods(moving), _speeds(moving)
    head = float(np.mean([head_speed(w[:, 1:]).mean() for w in moving]))
    lips = float(np.mean([_lip_speed(w).mean() for w in moving]))
    return Measurement(
        medium=Medium.VIDEO,
        part=series.part,
        segment=series.segment,
        features=(
            nods.peak,
            nods.contrast,
            speeds.peak,
            speeds.contrast,
            float(np.log10(head + 1e-3)),
            float(np.log10(head + 1e-3) - np.log10(lips + 1e-3)),
        ),
        value=nods.peak,
        text=(
            f"lips and nods correlate by {nods.peak:.2f} at best, {1000 * nods.lag_s:+.0f} ms "
            f"apart; the head moves {head:.2f} eye distances a second"
        ),
    )


def _draw(series: FaceSeries) -> CueCurve | None:
    moving = _windows(series)
    if not moving:
        return None
    return _nods(moving).drawn(
        series.part,
        later="head later than the lips",
        of="lips and nods",
        caption="A head that goes with its own speech has a peak near 0 s; chance is level.",
    )


_RECIPE = SeriesRecipe(extract=_extract, measure=_measure, draw=_draw, least_s=LEAST_S)

CUE = Cue(
    name="head_lips",
    title="Head and lips",
    measures="Whether the head moves with the lips: people nod with what they say.",
    reference="Agarwal, Farid et al. 2019, Protecting World Leaders Against Deep Fakes",
    features=(
        "nod_correlation",
        "nod_contrast",
        "speed_correlation",
        "speed_contrast",
        "log10_head_speed",
        "log10_head_over_lips",
    ),
    truth=Truth.VIDEO,
    media=(Medium.VIDEO,),
    start=_RECIPE.start,
    least_s=LEAST_S,
)
