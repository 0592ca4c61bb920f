"""Affine-warp artefacts: a face made at another size and fitted in is less sharp than its frame.

Li & Lyu, "Exposing DeepFake videos by detecting face warping artifacts" (2018): generators make
faces of a fixed size, which are scaled and turned into place. What is compared is the inner face
(brows to chin, all that such methods replace) with the head and what surrounds it, at the
source's own pixels.
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
    FACE_OVAL,
    LEFT_BROW,
    RIGHT_BROW,
    Mask,
    Plane,
    cut,
    heat,
    luma,
    neighbourhood,
    polygon,
    view,
)
from avdetect.cues.sharpness import Edges, log_energy, noise_level, octaves
from avdetect.faces.align import OUTER_LIPS

_INNER_FACE = (*LEFT_BROW, *RIGHT_BROW, *OUTER_LIPS)
_LEAST_SURROUND = 0.25  # of the face's area: less cannot be compared
_REACH = 0.5
_CELL_PX = 4  # of the picture for the report


def _look(moment: FaceMoment) -> Look | str:
    box = neighbourhood(moment, _REACH)
    pixels = cut(moment.picture.pixels, box)
    plane = luma(pixels)
    face, inner, rim, surround = _regions(moment, box)
    if surround.sum() < _LEAST_SURROUND * face.sum():
        return "fills its picture, so that its sharpness cannot be compared with what surrounds it"
    edges = Edges(plane)
    face_blur, around_blur = edges.blur_px(inner), edges.blur_px(surround | rim)
    if face_blur is None or around_blur is None:
        return "has too few edges in it or around it to compare their sharpness"
    bands = octaves(plane)
    fineness = [_fineness(bands, mask) for mask in (inner, rim, surround)]
    noises = [math.log(noise_level(plane, mask) + 0.1) for mask in (inner, surround)]
    return Look(
        numbers=(
            math.log(face_blur / around_blur),
            fineness[0][0] - fineness[2][0],
            fineness[0][1] - fineness[2][1],
            fineness[0][0] - fineness[1][0],
            noises[0] - noises[1],
            math.log(face_blur),
            face_blur,
            around_blur,
        ),
        picture=_picture(bands, pixels),
        interest=math.log(face_blur / around_blur),
    )


def _tell(looks: Looks) -> Tale | str:
    medians = np.median(looks.table, axis=0)
    ratio = math.exp(medians[0])
    face_blur, around_blur = medians[6], medians[7]
    than = "as sharp as" if 0.8 <= ratio <= 1.25 else "less sharp" if ratio > 1 else "sharper"
    than += "" if than.startswith("as") else " than"
    return Tale(
        features=tuple(medians[:6]),
        value=ratio,
        text=f"the face is {than} its surround: edges blurred by {face_blur:.2f} px, "
        f"around it by {around_blur:.2f} px",
    )


def _regions(moment: FaceMoment, box: tuple[int, int, int, int]) -> tuple[Mask, Mask, Mask, Mask]:
    """Whole face, inner face, the rim of the face around that, and what surrounds the head."""
    face = polygon(moment.landmarks, FACE_OVAL, box)
    inner = polygon(moment.landmarks, _INNER_FACE, box) & face
    # The boundary itself is an edge of the scene: left out of both sides.
    rim = face & ~polygon(moment.landmarks, _INNER_FACE, box, grow=1.15)
    return face, inner, rim, ~polygon(moment.landmarks, FACE_OVAL, box, grow=1.1)


def _fineness(bands: list[Plane], mask: Mask) -> tuple[float, float]:
    """Log energy of each band against the next coarser one: content cancels, resolution stays."""
    if mask.sum() < 64:
        return 0.0, 0.0
    finest, fine, coarse = (log_energy(band, mask) for band in bands)
    return finest - fine, fine - coarse


def _picture(bands: list[Plane], pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Local fineness over the picture."""
    small = (max(1, pixels.shape[1] // _CELL_PX), max(1, pixels.shape[0] // _CELL_PX))
    energies = [cv2.resize(band**2, small, interpolation=cv2.INTER_AREA) for band in bands[:2]]
    finest, fine = (cv2.GaussianBlur(energy, (0, 0), 1.0) for energy in energies)
    values = np.log(finest + 0.05) - np.log(fine + 0.05)
    low, high = np.quantile(values, (0.02, 0.98))
    return heat(values, float(low), float(high), view(pixels))


_METHOD = Method(
    look=_look,
    tell=_tell,
    caption="Bright: finest detail the picture holds; a resampled face is darker.",
)


CUE = Cue(
    name="warp",
    title="Affine-warp artefact",
    measures="Sharpness of the face against its surround: a face fitted in was resampled.",
    reference="Li & Lyu 2018, Exposing DeepFake videos by detecting face warping artifacts",
    unit="times the blur around it",
    features=(
        "log_blur_ratio",
        "fineness_face_less_surround",
        "coarser_fineness_face_less_surround",
        "fineness_inner_less_rim",
        "log_noise_ratio",
        "log_face_blur",
    ),
    truth=Truth.VIDEO,
    media=(Medium.VIDEO, Medium.STILL),
    start=_METHOD.start,
)
