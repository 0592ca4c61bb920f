"""Eyes: do both corneas mirror the same lamps, and are the pupils round?

Hu, Li & Lyu, "Exposing GAN-generated faces using inconsistent corneal specular highlights" (2021):
both eyes see the same scene, so that highlights lie alike, measured by the intersection over union
of both. Guo et al., "Eyes tell all: irregular pupil shapes reveal GAN-generated faces" (2022): the
dark of the eye is an ellipse in people. Both need irises of some size at the source's own pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.cues.base import Cue, Medium, Truth
from avdetect.cues.faces import FaceMoment
from avdetect.cues.per_face import Look, Looks, Method, Tale
from avdetect.cues.regions import Mask, Plane, luma, polygon, view
from avdetect.faces.align import LEFT_EYE, RIGHT_EYE

LEAST_IRIS_PX = 10.0  # diameter: below, a highlight is one pixel
_IRISES = ((468, (469, 470, 471, 472), LEFT_EYE), (473, (474, 475, 476, 477), RIGHT_EYE))
_LIDS = ((159, 145), (386, 374))  # upper and lower, of both eyes
_LEAST_OPEN = 0.45  # of the iris' diameter
_SIDE_PX = 48  # of the square each iris is resized to; it is 40 across
_RADIUS_PX = 20.0
_MIRROR = 0.8  # of the iris' radius: beyond, the white of the eye is taken for a highlight
_BRIGHTER = 35.0  # grey levels above the iris' median: a highlight
_DARK_QUANTILE = 0.3  # of the iris: what the pupil and its ring of shadow fill


@dataclass(frozen=True, slots=True)
class Iris:
    """One eye at one size.

    Attributes:
        pixels: (48, 48, 3) uint8 RGB.
        seen: (48, 48) the iris as far as the lids leave it open.
        highlight: (48, 48) what is mirrored in it.
    """

    pixels: NDArray[np.uint8]
    seen: Mask
    highlight: Mask


def cut_iris(moment: FaceMoment, which: int) -> Iris:
    """One iris with its highlight.

    Args:
        moment: a face in a picture.
        which: 0 for the eye to the picture's left, 1 for the other.
    """
    centre_point, _, lids = _IRISES[which]
    centre = moment.landmarks[centre_point].astype(np.float64)
    scale = 2.0 * _RADIUS_PX / iris_px(moment, which)
    # Mesh points count from a pixel's edge, warps from its centre.
    shift = _SIDE_PX / 2 - 0.5 + scale * (0.5 - centre)
    transform = np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]])
    size = (_SIDE_PX, _SIDE_PX)
    source = moment.picture.pixels
    pixels = cv2.warpAffine(source, transform, size, flags=cv2.INTER_CUBIC)
    placed = np.asarray((moment.landmarks - 0.5) * scale + shift, np.float32)
    open_eye = polygon(placed, lids, (0, 0, *size))
    y, x = np.mgrid[:_SIDE_PX, :_SIDE_PX] + 0.5 - _SIDE_PX / 2
    seen = open_eye & (np.hypot(x, y) <= 0.95 * _RADIUS_PX)
    mirror = open_eye & (np.hypot(x, y) <= _MIRROR * _RADIUS_PX)
    light = luma(np.asarray(pixels, np.uint8))
    return Iris(np.asarray(pixels, np.uint8), seen, _highlight(light, mirror))


def iris_px(moment: FaceMoment, which: int) -> float:
    """Diameter of an iris in pixels of the picture."""
    ring = moment.landmarks[list(_IRISES[which][1])]
    return 2.0 * float(np.linalg.norm(ring - ring.mean(axis=0), axis=1).mean())


def highlight_overlap(first: Mask, second: Mask) -> float:
    """Intersection over union of both highlights, the best within a shift of a tenth of an iris.

    A lamp close by is mirrored a little apart in both eyes; the mesh, too, errs by that much.

    Args:
        first: (S, S) highlights of one iris, both irises at one size.
        second: (S, S) those of the other.

    Returns:
        0 to 1; 0 where neither eye has a highlight.
    """
    best = 0.0
    for down in range(-4, 5, 2):
        for right in range(-4, 5, 2):
            moved = np.roll(second, (down, right), axis=(0, 1))
            union = int((first | moved).sum())
            best = max(best, int((first & moved).sum()) / union if union else 0.0)
    return best


def roundness(iris: Iris) -> float:
    """How well the iris' darkest part fills its own ellipse, 0 to 1."""
    light = luma(iris.pixels)
    usable = iris.seen & ~iris.highlight
    if usable.sum() < 100:
        return 0.0
    dark = iris.seen & (light <= np.quantile(light[usable], _DARK_QUANTILE))
    filled = cv2.morphologyEx((dark | iris.highlight).astype(np.uint8), cv2.MORPH_OPEN, _disc(5))
    count, labels, facts, _ = cv2.connectedComponentsWithStats(filled)
    if count < 2:
        return 0.0
    largest = labels == 1 + int(facts[1:, cv2.CC_STAT_AREA].argmax())
    outlines, _ = cv2.findContours(
        largest.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    outline = max(outlines, key=len)
    if len(outline) < 8:
        return 0.0
    drawn = np.zeros(dark.shape, np.uint8)
    cv2.ellipse(drawn, cv2.fitEllipse(outline), 1, -1)
    ellipse = (drawn > 0) & iris.seen
    union = int((ellipse | largest).sum())
    return int((ellipse & largest).sum()) / union if union else 0.0


def _look(moment: FaceMoment) -> Look | str:
    smallest = min(iris_px(moment, which) for which in (0, 1))
    if smallest < LEAST_IRIS_PX:
        return f"has irises of {smallest:.1f} px, {LEAST_IRIS_PX:.0f} px needed"
    if not _in_picture(moment):
        return "has an eye outside the picture"
    gaps = [np.linalg.norm(moment.landmarks[a] - moment.landmarks[b]) for a, b in _LIDS]
    if min(gaps) < _LEAST_OPEN * smallest:
        return "has its eyes closed or narrowed"
    pair = [cut_iris(moment, which) for which in (0, 1)]
    sizes = [int(iris.highlight.sum()) / max(1, int(iris.seen.sum())) for iris in pair]
    overlap = highlight_overlap(pair[0].highlight, pair[1].highlight)
    return Look(
        numbers=(
            overlap,
            math.log(sizes[0] + sizes[1] + 0.01),
            abs(math.log((sizes[0] + 0.01) / (sizes[1] + 0.01))),
            min(roundness(iris) for iris in pair),
            _contrast(pair[0]) - _contrast(pair[1]),
            float(min(sizes) > 0.0),
            float(max(sizes) > 0.0),
        ),
        picture=_picture(pair),
        interest=sum(sizes),
    )


def _tell(looks: Looks) -> Tale | str:
    table = looks.table
    means = table.mean(axis=0)
    in_both, in_any = float(means[5]), float(means[6])
    words = "no highlight is seen in the eyes"
    if in_any > 0:
        words = f"highlights of both eyes overlap by {100 * means[0]:.0f} %"
    if in_any > in_both + 0.5:
        words = "a highlight is seen in one eye and not in the other"
    return Tale(
        features=(
            float(means[0]),
            float(means[1]),
            float(means[2]),
            float(means[3]),
            abs(float(means[4])),
            in_both,
        ),
        value=100.0 * float(means[0]),
        text=f"{words}; the dark of the eyes fills {100 * means[3]:.0f} % of an ellipse",
    )


def _in_picture(moment: FaceMoment) -> bool:
    height, width = moment.picture.pixels.shape[:2]
    rings = moment.landmarks[[point for _, ring, _ in _IRISES for point in ring]]
    return bool((rings >= 0).all() and (rings <= (width, height)).all())


def _highlight(light: Plane, seen: Mask) -> Mask:
    """The parts of the iris much brighter than it, without specks."""
    if seen.sum() < 50:
        return np.zeros_like(seen)
    level = float(np.median(light[seen]))
    bright = seen & (light > level + max(_BRIGHTER, 0.3 * level))
    opened = cv2.morphologyEx(bright.astype(np.uint8), cv2.MORPH_OPEN, _disc(3))
    return np.asarray(opened > 0)


def _contrast(iris: Iris) -> float:
    """Spread of the iris' brightness, natural log: one eye can be drawn finer than the other."""
    usable = iris.seen & ~iris.highlight
    return math.log(float(luma(iris.pixels)[usable].std()) + 1.0) if usable.any() else 0.0


def _disc(side: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _picture(pair: list[Iris]) -> NDArray[np.uint8]:
    """Both irises, and below them their highlights in white."""
    above = np.concatenate([iris.pixels for iris in pair], axis=1)
    masks = np.concatenate([iris.highlight * 255 for iris in pair], axis=1)
    grey = np.concatenate([iris.seen * 90 for iris in pair], axis=1)
    below = np.maximum(masks, grey).astype(np.uint8)
    return view(np.concatenate([above, np.repeat(below[..., None], 3, axis=2)], axis=0))


_METHOD = Method(
    look=_look,
    tell=_tell,
    caption="Both irises at one size; below, in white, what is mirrored in them.",
)


CUE = Cue(
    name="eyes",
    title="Eyes",
    measures="Highlights of both eyes against each other, and the shape of the pupils.",
    reference="Hu, Li & Lyu 2021 (corneal highlights); Guo et al. 2022 (pupil shape)",
    unit="% overlap",
    features=(
        "highlight_overlap",
        "log_highlight_size",
        "log_size_difference",
        "pupil_roundness",
        "contrast_difference",
        "highlight_in_both",
    ),
    truth=Truth.VIDEO,
    media=(Medium.VIDEO, Medium.STILL),
    start=_METHOD.start,
)
