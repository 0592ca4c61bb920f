"""Colour co-occurrence: how noise residuals of neighbours and of colour channels go together.

Nataraj et al., "Detecting GAN generated fake images using co-occurrence matrices" (2019), count
pairs of values; Li et al., "Identification of deep network generated images using disparities in
color components" (2020), count them in the residuals of luma and chroma. Here each matrix of
truncated residuals is told in two numbers fixed beforehand: the information that neighbours share,
and how often a residual is zero. Chroma is read at half size, as nearly every file keeps it.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.cues.base import Cue, Medium, Truth
from avdetect.cues.faces import FaceMoment
from avdetect.cues.per_face import Look, Looks, Method, Tale
from avdetect.cues.regions import Plane, heat, view

_REACH = 2  # residuals are cut off at two steps, as the rich models of Fridrich & Kodovsky 2012
_LEVELS = 2 * _REACH + 1
_LEAST_PX = 64
_PLANES = ("luma", "blue", "red")
_PAIRS = ((0, 1), (0, 2), (1, 2))


def _look(moment: FaceMoment) -> Look | str:
    crop = moment.crop
    if min(crop.shape[:2]) < _LEAST_PX:
        return f"is {min(crop.shape[:2])} px wide in the picture, {_LEAST_PX} px needed"
    luma, halves = _planes(crop)
    residuals = [_residual(luma, 1.0), *(_residual(plane, 0.5) for plane in halves[1:])]
    within = [_matrix(r[:, :-1], r[:, 1:]) for r in residuals]
    small = [_residual(plane, 0.5) for plane in halves]
    across = [_matrix(small[a], small[b]) for a, b in _PAIRS]
    shared = [math.log10(_information_bits(m) + 1e-3) for m in (*within, *across)]
    zeros = [_logit(float(m[_REACH].sum())) for m in within]
    return Look(numbers=(*shared, *zeros, _information_bits(across[2])), picture=_picture(within))


def _tell(looks: Looks) -> Tale | str:
    medians = np.median(looks.table, axis=0)
    return Tale(
        features=tuple(medians[:9]),
        value=float(medians[9]),
        text=f"residuals of the two colour channels share {medians[9]:.3f} bits",
    )


def _planes(crop: NDArray[np.uint8]) -> tuple[Plane, list[Plane]]:
    """Luma at full size, and luma and both colour differences at half."""
    height, width = (side // 2 * 2 for side in crop.shape[:2])
    coded = cv2.cvtColor(crop[:height, :width].astype(np.float32), cv2.COLOR_RGB2YCrCb)
    halves = coded.reshape(height // 2, 2, width // 2, 2, 3).mean(axis=(1, 3))
    blue_last = [halves[..., k].astype(np.float32) for k in (0, 2, 1)]
    return np.asarray(coded[..., 0], np.float32), blue_last


def _residual(plane: Plane, step: float) -> NDArray[np.int64]:
    """Second difference along rows, in steps, cut off at `_REACH`; 0 to ``_LEVELS`` - 1."""
    second = plane[:, :-2] - 2.0 * plane[:, 1:-1] + plane[:, 2:]
    levels = np.clip(np.rint(second / (2.0 * step)), -_REACH, _REACH)
    return np.asarray(levels, np.int64) + _REACH


def _matrix(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
    """(levels, levels) shares of pairs."""
    counts = np.bincount((first * _LEVELS + second).ravel(), minlength=_LEVELS**2)
    return np.asarray(counts.reshape(_LEVELS, _LEVELS) / counts.sum())


def _information_bits(matrix: NDArray[np.float64]) -> float:
    """Mutual information of both sides of a matrix of shares."""
    independent = matrix.sum(1, keepdims=True) * matrix.sum(0, keepdims=True)
    seen = matrix > 0
    return float(np.sum(matrix[seen] * np.log2(matrix[seen] / independent[seen])))


def _logit(share: float) -> float:
    share = min(max(share, 0.005), 0.995)
    return math.log(share / (1.0 - share))


def _picture(matrices: list[NDArray[np.float64]]) -> NDArray[np.uint8]:
    """The matrices of luma, blue and red side by side, in logarithmic shade."""
    shades = [np.pad(np.log10(matrix + 1e-4), 1, constant_values=-4.0) for matrix in matrices]
    return view(heat(np.concatenate(shades, axis=1), -4.0, 0.0))


_METHOD = Method(
    look=_look,
    tell=_tell,
    caption="How often residuals of neighbours go together: brightness, blue, red.",
    shows_person=False,
)


CUE = Cue(
    name="cooccurrence",
    title="Colour co-occurrence",
    measures="How residuals of neighbours and colours go together: generators mix colours anew.",
    reference="Nataraj et al. 2019; Li et al. 2020, disparities in color components",
    unit="bits",
    features=(
        *(f"log10_bits_{name}_neighbours" for name in _PLANES),
        *(f"log10_bits_{_PLANES[a]}_{_PLANES[b]}" for a, b in _PAIRS),
        *(f"logit_zero_{name}" for name in _PLANES),
    ),
    truth=Truth.VIDEO,
    media=(Medium.VIDEO, Medium.STILL),
    start=_METHOD.start,
)
