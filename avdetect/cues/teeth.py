"""Teeth: how much detail an open mouth holds, against the face around it.

Matern, Riess & Stamminger, "Exploiting visual artifacts to expose deepfakes and face manipulations"
(2019): generators draw teeth as one white blob, or leave them out. Only moments with an open mouth
are looked at, at the source's own pixels.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.cues.base import Cue, Medium, Truth
from avdetect.cues.faces import FaceMoment
from avdetect.cues.per_face import Look, Looks, Method, Tale
from avdetect.cues.regions import (
    LARGEST_VIEW_PX,
    LEFT_BROW,
    RIGHT_BROW,
    Mask,
    cut,
    luma,
    neighbourhood,
    polygon,
    view,
)
from avdetect.cues.sharpness import log_energy, octaves
from avdetect.faces.align import LEFT_EYE, OUTER_LIPS, RIGHT_EYE
from avdetect.faces.lips import INNER_LIPS

LEAST_GAP_PX = 5.0
LEAST_OPEN = 0.12  # gap of the lips over their width
_LEAST_PX = 40  # pixels of the mouth's inside
_UPPER, _LOWER, _LEFT_CORNER, _RIGHT_CORNER = 13, 14, 78, 308
_SATURATION = 0.45  # below, bright pixels are teeth and not lips or tongue
_EYES_AND_BROWS = (*LEFT_EYE, *RIGHT_EYE, *LEFT_BROW, *RIGHT_BROW)


def _look(moment: FaceMoment) -> Look | str:
    points = moment.landmarks
    gap_px = float(np.linalg.norm(points[_UPPER] - points[_LOWER]))
    width_px = float(np.linalg.norm(points[_LEFT_CORNER] - points[_RIGHT_CORNER]))
    if gap_px < max(LEAST_GAP_PX, LEAST_OPEN * width_px):
        return "does not open its mouth far enough to see into it"
    box = neighbourhood(moment, 0.05)
    pixels = cut(moment.picture.pixels, box)
    inside = polygon(points, INNER_LIPS, box)
    if inside.sum() < _LEAST_PX:
        return "has too small a mouth to see into it"
    plane = luma(pixels)
    bands = octaves(plane)
    lips = polygon(points, OUTER_LIPS, box) & ~inside
    eyes = polygon(points, _EYES_AND_BROWS, box)
    teeth = _teeth(pixels, plane, inside, lips)
    finest, fine, coarse = ([log_energy(band, m) for m in (inside, lips, eyes)] for band in bands)
    return Look(
        numbers=(
            finest[0] - fine[0],
            fine[0] - coarse[0],
            (finest[0] - fine[0]) - (finest[2] - fine[2]),
            fine[0] - fine[1],
            math.log(float(teeth.sum()) / float(inside.sum()) + 0.02),
            _upright(plane, inside),
            float(teeth.sum()) / float(inside.sum()),
            gap_px / width_px,
        ),
        picture=_picture(moment, teeth, box),
        interest=gap_px,
    )


def _tell(looks: Looks) -> Tale | str:
    medians = np.median(looks.table, axis=0)
    detail_db = 10.0 * medians[2] / math.log(10.0)
    return Tale(
        features=tuple(medians[:6]),
        value=float(detail_db),
        text=f"the mouth's inside holds {abs(detail_db):.1f} dB "
        f"{'less' if detail_db < 0 else 'more'} fine detail than the eyes; "
        f"{100 * medians[6]:.0f} % of it look like teeth",
    )


def _teeth(pixels: NDArray[np.uint8], plane: NDArray[np.float32], inside: Mask, lips: Mask) -> Mask:
    """Pixels inside the mouth as bright as the lips and far paler."""
    colours = pixels.astype(np.float32)
    highest = colours.max(axis=2)
    saturation = 1.0 - colours.min(axis=2) / np.maximum(highest, 1.0)
    bright = float(np.median(plane[lips])) if lips.any() else 80.0
    limit = min(_SATURATION, 0.8 * float(np.median(saturation[lips]))) if lips.any() else 0.3
    return np.asarray(inside & (plane > 0.9 * bright) & (saturation < limit))


def _upright(plane: NDArray[np.float32], inside: Mask) -> float:
    """Energy of upright edges against lying ones, natural log: gaps between teeth stand upright."""
    across = cv2.Sobel(plane, cv2.CV_32F, 1, 0, ksize=3)[inside]
    down = cv2.Sobel(plane, cv2.CV_32F, 0, 1, ksize=3)[inside]
    return float(np.log(np.mean(across**2) + 1.0) - np.log(np.mean(down**2) + 1.0))


def _picture(moment: FaceMoment, teeth: Mask, box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """The mouth, beside it what was taken for teeth."""
    lips = moment.landmarks[list(OUTER_LIPS)]
    low = np.maximum(np.floor(lips.min(axis=0)).astype(int) - 4, box[:2])
    high = np.minimum(np.ceil(lips.max(axis=0)).astype(int) + 4, box[2:])
    mouth = moment.picture.pixels[low[1] : high[1], low[0] : high[0]]
    mask = teeth[low[1] - box[1] : high[1] - box[1], low[0] - box[0] : high[0] - box[0]]
    white = np.repeat((mask * 255).astype(np.uint8)[..., None], 3, axis=2)
    return view(np.concatenate([mouth, white], axis=1))[:LARGEST_VIEW_PX]


_METHOD = Method(
    look=_look,
    tell=_tell,
    caption="The mouth at its widest, and in white what looks like teeth in it.",
)


CUE = Cue(
    name="teeth",
    title="Teeth",
    measures="Detail inside the open mouth against the face: teeth drawn as a blob or left out.",
    reference="Matern, Riess & Stamminger 2019, Exploiting visual artifacts to expose deepfakes",
    unit="dB",
    features=(
        "fineness_inside",
        "coarser_fineness_inside",
        "fineness_less_eyes",
        "fine_detail_less_lips",
        "log_teeth_share",
        "upright_edges",
    ),
    truth=Truth.VIDEO,
    media=(Medium.VIDEO, Medium.STILL),
    start=_METHOD.start,
)
