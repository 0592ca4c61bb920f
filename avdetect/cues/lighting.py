"""Lighting: from where light falls on a face, over time, and against neck and other faces.

After Kee & Farid, "Exposing digital forgeries from 3-D lighting environments" (2010), and Johnson
& Farid (2007): shading of a convex body is nearly linear in its surface normal (spherical harmonics
of the first order). The head is taken for an ellipsoid, whose outline in the picture fixes its
normals. A flat light has no direction, and the cue abstains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.cues.base import ClipFacts, Cue, CueCurve, CueFigure, CueTools, Medium, Truth
from avdetect.cues.faces import FaceMoment
from avdetect.cues.per_face import Look, Looks, Method, PerFaceReading, Tale
from avdetect.cues.regions import (
    FACE_OVAL,
    LEFT_BROW,
    RIGHT_BROW,
    Box,
    Mask,
    cut,
    luma,
    neighbourhood,
    polygon,
)
from avdetect.faces.align import LEFT_EYE, OUTER_LIPS, RIGHT_EYE
from avdetect.types import Part

LEAST_STRENGTH = 0.06  # of the mean light: a weaker slope of brightness is the skin's own
_FACE_SIDE_PX = 96  # shading is coarse: larger faces are shrunk
_GAMMA = 2.2
_LEAST_SKIN = 200
_REACH = 0.4  # of the face's sides: how far neck and ears are looked for
_SAME_SKIN = 9.0  # 8-bit steps of colour from the face's own
_LEAST_NECK = 60  # pixels a side
_INNER_RADIUS = 0.55  # of the outline: what a swapped face replaces lies within
_NOT_SKIN = (LEFT_EYE, RIGHT_EYE, LEFT_BROW, RIGHT_BROW, OUTER_LIPS, (98, 327, 2, 1))


@dataclass(frozen=True, slots=True)
class Light:
    """Light on one face.

    Attributes:
        x, y: slope of light to the picture's right and down, over the mean light.
        explained: share of the skin's variation that a direction explains.
    """

    x: float
    y: float
    explained: float

    @property
    def strength(self) -> float:
        """Length of the slope."""
        return math.hypot(self.x, self.y)

    @property
    def from_deg(self) -> float:
        """Where light comes from in the picture: 0 right, 90 above, within -180 to 180."""
        return math.degrees(math.atan2(-self.y, self.x))


def light_on(linear: NDArray[np.floating], normals: NDArray[np.float64], skin: Mask) -> Light:
    """Fit brightness to normals, leaving out twice what fits worst (moles, shadows, highlights).

    Args:
        linear: (H, W) light, linear.
        normals: (H, W, 3) right, down, towards the camera.
        skin: (H, W) where both are known.
    """
    values = np.asarray(linear[skin], np.float64)
    terms = np.concatenate([np.ones((len(values), 1)), normals[skin]], axis=1)
    kept = np.ones(len(values), bool)
    for _ in range(3):
        rows = terms[kept]
        weights = np.linalg.solve(rows.T @ rows + 1e-3 * np.eye(4), rows.T @ values[kept])
        misfit = np.abs(values - terms @ weights)
        kept = misfit <= np.quantile(misfit[kept], 0.9)
    mean = max(float(values.mean()), 1e-6)
    variation = float(values[kept].var()) + 1e-12
    explained = 1.0 - float((values[kept] - terms[kept] @ weights).var()) / variation
    return Light(float(weights[1]) / mean, float(weights[2]) / mean, max(0.0, explained))


def ellipsoid_normals(outline: NDArray[np.floating], box: Box) -> NDArray[np.float64]:
    """Normals of the ellipsoid that an outline of a face belongs to.

    Args:
        outline: (N, 2) points of the face's edge, in pixels of the picture.
        box: part of the picture.

    Returns:
        (bottom - top, right - left, 3) right, down, towards the camera; NaN outside the outline.
    """
    centre, (width, height), turn_deg = cv2.fitEllipse(np.asarray(outline, np.float32))
    y, x = np.mgrid[box[1] : box[3], box[0] : box[2]].astype(np.float64) + 0.5
    turn = math.radians(turn_deg)
    along = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    local = np.stack([x - centre[0], y - centre[1]], axis=-1) @ along.T
    flat = local / (0.5 * np.array([width, height]))
    inside = (flat**2).sum(axis=-1) < 1.0
    flat = flat @ along
    towards = np.sqrt(np.maximum(0.0, 1.0 - (flat**2).sum(axis=-1)))
    normals = np.concatenate([flat, towards[..., None]], axis=-1)
    normals[~inside] = np.nan
    return normals


def _look(moment: FaceMoment) -> Look | str:
    crop, landmarks = _at_working_size(moment)
    box = (0, 0, crop.shape[1], crop.shape[0])
    linear = (luma(crop) / 255.0) ** _GAMMA
    normals = ellipsoid_normals(landmarks[list(FACE_OVAL)], box)
    skin = polygon(landmarks, FACE_OVAL, box, grow=0.95) & np.isfinite(normals[..., 0])
    for part in _NOT_SKIN:
        skin &= ~polygon(landmarks, part, box, grow=1.25)
    inner = skin & (np.hypot(normals[..., 0], normals[..., 1]) < _INNER_RADIUS)
    outer = skin & ~inner
    if min(int(inner.sum()), int(outer.sum())) < _LEAST_SKIN:
        return "shows too little skin to tell where light comes from"
    light = light_on(linear, normals, skin)
    within, around = (light_on(linear, normals, part) for part in (inner, outer))
    apart = math.hypot(within.x - around.x, within.y - around.y)
    neck = _against_neck(crop, linear, skin, ~polygon(landmarks, FACE_OVAL, box, grow=1.1))
    return Look(numbers=(light.x, light.y, light.explained, apart, neck))


def _against_neck(
    crop: NDArray[np.uint8], linear: NDArray[np.floating], skin: Mask, outside: Mask
) -> float:
    """How far the sides of the face and of the person's other skin differ in light; 0 unseen.

    Of either, the share by which the right side is brighter than the left.
    """
    colour = cv2.cvtColor(crop, cv2.COLOR_RGB2YCrCb)[..., 1:].astype(np.float32)
    like_face = np.abs(colour - np.median(colour[skin], axis=0)).max(axis=-1) < _SAME_SKIN
    right = np.arange(crop.shape[1])[None, :] > np.nonzero(skin)[1].mean()
    low = np.arange(crop.shape[0])[:, None] > np.nonzero(skin)[0].mean()  # hair and walls are above
    neck = outside & like_face & low & (linear > 0.25 * np.median(linear[skin]))
    if min(int((neck & right).sum()), int((neck & ~right).sum())) < _LEAST_NECK:
        return 0.0
    tilts = []
    for part in (skin, neck):
        light, dark = (float(linear[part & side].mean()) for side in (right, ~right))
        tilts.append((light - dark) / max(light + dark, 1e-6))
    return abs(tilts[0] - tilts[1])


def _at_working_size(moment: FaceMoment) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Face and neck, shrunk where they are large, and the mesh in pixels of that."""
    left, top, right, bottom = moment.box
    scale = min(1.0, _FACE_SIDE_PX / max(right - left, bottom - top))
    around = neighbourhood(moment, _REACH)
    left, top = around[:2]
    crop = cut(moment.picture.pixels, around)
    landmarks = (moment.landmarks - np.array([left, top], np.float32)) * np.float32(scale)
    if scale == 1.0:
        return crop, landmarks
    small = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), landmarks


class _Lighting(PerFaceReading):
    def __init__(self, clip: ClipFacts) -> None:
        method = Method(look=_look, tell=self._tell, caption="", shows_person=False, draw=_draw)
        super().__init__(clip, method)

    def _tell(self, looks: Looks) -> Tale | str:
        x, y, explained, apart, neck = np.median(looks.table, axis=0)
        light = Light(float(x), float(y), float(explained))
        if light.strength < LEAST_STRENGTH:
            return f"face {looks.track}: the light on it is flat, it has no direction to compare"
        steps = np.hypot(*np.diff(looks.table[:, :2], axis=0).T)
        unsteady = float(np.median(steps)) if len(steps) else 0.0
        against = self._against_others(looks)
        words = f"light falls on the face from {_where(light)}"
        if against is not None:
            words += f"; other faces differ by {against:.2f} of the mean light"
        return Tale(
            features=(
                math.log(light.strength),
                -light.y / light.strength,
                light.explained,
                math.log(unsteady + 0.01),
                math.log(float(apart) + 0.03),
                math.log(float(neck) + 0.03),
                against or 0.0,
            ),
            value=light.from_deg,
            text=words,
        )

    def _against_others(self, looks: Looks) -> float | None:
        """Median distance to the light on the other faces seen at the same moments."""
        mine = dict(zip(looks.times_s, looks.table[:, :2], strict=True))
        away = [
            float(np.hypot(*(mine[time_s] - row[:2])))
            for track, other in self.faces.items()
            if track != looks.track
            for time_s, row in zip(other.times_s, other.rows, strict=True)
            if time_s in mine
        ]
        return float(np.median(away)) if away else None


def _where(light: Light) -> str:
    down = "above" if light.y < 0 else "below"
    side = "right" if light.x > 0 else "left"
    if abs(light.x) < 0.4 * abs(light.y):
        return down
    if abs(light.y) < 0.4 * abs(light.x):
        return f"the picture's {side}"
    return f"{down} and the picture's {side}"


def _draw(looks: Looks) -> CueFigure:
    """Direction over time; of a photograph, the two slopes alone."""
    part = Part(face_track=looks.track)
    if looks.medium is Medium.STILL or len(looks.rows) < 2:
        x, y = looks.table[0, :2]
        return CueCurve(
            part=part,
            x=np.array([0.0, 1.0]),
            y=np.array([x, -y]),
            x_name="0: to the right, 1: upwards",
            y_name="slope of light, of its mean",
            caption="How light on the face grows to the right and upwards.",
        )
    return CueCurve(
        part=part,
        x=np.asarray(looks.times_s, np.float64),
        y=np.degrees(np.unwrap(np.arctan2(-looks.table[:, 1], looks.table[:, 0]))),
        x_name="seconds",
        y_name="light from, degrees (0 right, 90 above)",
        caption="Where light on the face comes from; it moves with the head and with lamps.",
    )


def _start(clip: ClipFacts, tools: CueTools) -> PerFaceReading:
    return _Lighting(clip)


CUE = Cue(
    name="lighting",
    title="Lighting",
    measures="Direction of light on the face: over time, against the neck and other faces.",
    reference="Johnson & Farid 2007; Kee & Farid 2010, 3-D lighting environments",
    unit="degrees",
    features=(
        "log_strength",
        "from_above",
        "explained",
        "log_unsteadiness",
        "log_inner_against_outer",
        "log_against_neck",
        "against_other_faces",
    ),
    truth=Truth.VIDEO,
    media=(Medium.VIDEO, Medium.STILL),
    start=_start,
)
