"""Face forgeries made from real pictures, each with the mask of what was changed.

Every kind takes a `Material` and gives the forged picture and its mask; where the mask is 0 the
picture is untouched, byte for byte. The channel that follows is the same for both twins and is
not this module's business (`recipes.forge.picture_channel`).

    self_blend   another rendering of the same face blended in (SBI, Shiohara & Yamasaki 2022)
    resampled    the face through a small grid and back (FWA, Li & Lyu 2019)
    lip_box      an upright box regenerated at about 96 px with another mouth (shape of Wav2Lip)
    other_moment mouth or lower face from another moment of the same clip
    upsampled    grids and coloured noise of an enlarging network (AutoGAN, Zhang et al. 2019)
    redrawn      the face or the whole picture as an auto-encoder draws it
    reenacted    another moment driven to this one's mesh, as a talking portrait is (Siarohin 2019)
    cross_blend  another person's face, colours matched (Face X-Ray, Li et al. 2020)
    swapped      as another's decoder draws the face, the scheme of the first deepfakes (2017)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recipes.forge.face_masks import REGIONS, Mask, face_box, region_mask, soften
from recipes.forge.picture_channel import sharpen, to_bytes
from recipes.forge.retouching import (
    Face,
    Picture,
    Points,
    as_picture,
    coloured_noise,
    drive,
    lay_onto,
    nudge,
    regrid,
    render_anew,
    with_rim_of,
    with_tone_of,
)

__all__ = ["KINDS", "Face", "Forger", "Material", "Twins", "forge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """All a forger may use.

    Attributes:
        face: the real picture.
        moment: the same person in another frame of the same clip, None for photographs.
        stranger: another person.
        redrawn: the same picture as auto-encoders draw it, pixel on pixel.
        moment_redrawn: likewise ``moment``, or the picture itself where there is none.
        swapped: the picture with another's face drawn over its own, None where nobody was learned.
    """

    face: Face
    moment: Face | None
    stranger: Face
    redrawn: tuple[Picture, ...]
    moment_redrawn: tuple[Picture, ...] = ()
    swapped: Picture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """A real picture, its forgery, and the (S, S) float32 mask in [0, 1] of what was changed."""

    real: Picture
    fake: Picture
    mask: Mask
    kind: str


Forger = Callable[[Material, np.random.Generator], tuple[NDArray[np.float32], Mask]]


def forge(kind: str, material: Material, rng: np.random.Generator) -> Twins:
    """Forge one picture; pixels with mask 0 stay as they are."""
    source, mask = KINDS[kind](material, rng)
    real = material.face.picture
    weight = mask[..., None]
    fake = to_bytes(real * (1.0 - weight) + source * weight)
    return Twins(real=real, fake=fake, mask=mask, kind=kind)


def _self_blend(material: Material, rng: np.random.Generator) -> tuple[NDArray[np.float32], Mask]:
    face = material.face
    source = render_anew(face.picture, rng)
    if rng.random() < 0.7:
        source = nudge(source, rng)
    mask = region_mask(face.landmarks, str(rng.choice(REGIONS)), rng, _side(face))
    return source.astype(np.float32), mask * np.float32(rng.choice([0.5, 0.75, 1.0, 1.0, 1.0]))


def _resampled(material: Material, rng: np.random.Generator) -> tuple[NDArray[np.float32], Mask]:
    face = material.face
    source = nudge(regrid(face.picture, rng.uniform(0.3, 0.75), rng), rng)
    region = str(rng.choice(["whole", "whole", "lower", "mouth"]))
    return source.astype(np.float32), region_mask(face.landmarks, region, rng, _side(face))


def _lip_box(material: Material, rng: np.random.Generator) -> tuple[NDArray[np.float32], Mask]:
    face, side = material.face, _side(material.face)
    left, top, right, bottom = face_box(face.landmarks, rng, side)
    content = face.picture
    if rng.random() < 0.7:  # true eyes above, another mouth below: what such a network draws
        other = material.moment or Face(picture=nudge(content, rng), landmarks=face.landmarks)
        lower = region_mask(face.landmarks, "lower", rng, side)[..., None]
        content = to_bytes(content * (1.0 - lower) + lay_onto(other, face) * lower)
    cell = content[top:bottom, left:right]
    n_px = int(rng.integers(64, 129))  # 96 in the published models, of faces of any size
    small = as_picture(cv2.resize(cell, (n_px, n_px), interpolation=cv2.INTER_LINEAR))
    if rng.random() < 0.7:
        small = as_picture(cv2.GaussianBlur(small, (0, 0), rng.uniform(0.3, 1.1)))
    if rng.random() < 0.3:
        small = sharpen(small, rng.uniform(0.2, 1.0))
    small = to_bytes(small * rng.uniform(0.97, 1.03, 3) + rng.uniform(-3.0, 3.0))
    enlarge = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
    source = face.picture.astype(np.float32)
    source[top:bottom, left:right] = cv2.resize(
        small, (right - left, bottom - top), interpolation=enlarge
    )
    return source, _box_mask((left, top, right, bottom), face.landmarks, rng, side)


def _other_moment(material: Material, rng: np.random.Generator) -> tuple[NDArray[np.float32], Mask]:
    face = material.face
    other = material.moment or Face(picture=nudge(face.picture, rng), landmarks=face.landmarks)
    source = to_bytes(lay_onto(other, face))
    if rng.random() < 0.6:
        source = regrid(source, rng.uniform(0.4, 0.9), rng)
    region = str(rng.choice(["lower", "mouth"]))
    return source.astype(np.float32), region_mask(face.landmarks, region, rng, _side(face))


def _upsampled(material: Material, rng: np.random.Generator) -> tuple[NDArray[np.float32], Mask]:
    face, side = material.face, _side(material.face)
    half = cv2.resize(face.picture, (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    half = half.astype(np.float32)
    kernel = rng.normal(0.0, 0.06, (4, 4)).astype(np.float32)
    if rng.random() < 0.5:  # zeros between pixels, then a kernel of uneven overlap
        spread = np.zeros((side, side, 3), np.float32)
        spread[::2, ::2] = half * 4.0
        weights = np.outer([1.0, 3.0, 3.0, 1.0], [1.0, 3.0, 3.0, 1.0]).astype(np.float32) / 64.0
    else:
        spread = np.repeat(np.repeat(half, 2, 0), 2, 1)
        weights = np.full((4, 4), 1.0 / 16.0, np.float32)
    weights = weights * (1.0 + 4.0 * kernel)
    source = np.asarray(cv2.filter2D(spread, -1, weights / weights.sum()), np.float32)
    if rng.random() < 0.7:
        smooth = np.asarray(cv2.GaussianBlur(face.picture, (0, 0), 1.2), np.float32)
        source += (face.picture - smooth) * np.float32(rng.uniform(0.2, 0.8))
    if rng.random() < 0.5:
        source += coloured_noise(side, rng)
    return source, _broad_mask(face, rng)


def _redrawn(material: Material, rng: np.random.Generator) -> tuple[NDArray[np.float32], Mask]:
    face = material.face
    source = np.asarray(material.redrawn[int(rng.integers(len(material.redrawn)))])
    if rng.random() < 0.5:
        source = sharpen(source, rng.uniform(0.2, 1.5))
    if rng.random() < 0.4:
        source = nudge(source, rng)
    blended = with_tone_of(face.picture, with_rim_of(face.picture, source), rng.uniform(3.0, 10.0))
    if rng.random() < 0.4:
        share = rng.uniform(0.1, 0.5)
        blended = blended * (1.0 - share) + face.picture * share
    return blended, _broad_mask(face, rng)


def _reenacted(material: Material, rng: np.random.Generator) -> tuple[NDArray[np.float32], Mask]:
    face = material.face
    start = material.moment or face
    picture = start.picture
    if material.moment_redrawn and rng.random() < 0.75:
        drawn = material.moment_redrawn[int(rng.integers(len(material.moment_redrawn)))]
        if rng.random() < 0.6:
            drawn = sharpen(drawn, rng.uniform(0.2, 1.5))
        toned = with_tone_of(picture, with_rim_of(picture, drawn), rng.uniform(3.0, 10.0))
        share = rng.uniform(0.0, 0.4) * (rng.random() < 0.5)
        picture = to_bytes(toned * (1.0 - share) + picture * np.float64(share))
    points = start.landmarks
    if material.moment is None:  # a photograph is driven from a made-up pose
        shift = rng.normal(0.0, 2.0, 2) + _made_up_motion(points, rng)
        points = np.asarray(points + shift, np.float32)
    return drive(picture, points, face.landmarks, rng), _broad_mask(face, rng)


def _cross_blend(material: Material, rng: np.random.Generator) -> tuple[NDArray[np.float32], Mask]:
    face = material.face
    mask = region_mask(face.landmarks, "whole", rng, _side(face))
    source = lay_onto(material.stranger, face)
    return _with_colours_of(face.picture, source, mask), mask


def _swapped(material: Material, rng: np.random.Generator) -> tuple[NDArray[np.float32], Mask]:
    face = material.face
    if material.swapped is None:
        raise ValueError("this picture has no swapped face: its person taught no decoder")
    mask = region_mask(face.landmarks, "whole", rng, _side(face))
    source = material.swapped
    if rng.random() < 0.5:
        source = sharpen(source, rng.uniform(0.2, 1.5))
    return _with_colours_of(face.picture, source.astype(np.float64), mask), mask


KINDS: dict[str, Forger] = {
    "self_blend": _self_blend,
    "resampled": _resampled,
    "lip_box": _lip_box,
    "other_moment": _other_moment,
    "upsampled": _upsampled,
    "redrawn": _redrawn,
    "reenacted": _reenacted,
    "cross_blend": _cross_blend,
    "swapped": _swapped,
}


def _with_colours_of(
    picture: Picture, source: NDArray[np.floating], mask: Mask
) -> NDArray[np.float32]:
    """Mean and deviation of every colour within the mask as the picture has them there."""
    weight = (mask > 0.5)[..., None]
    n_px = max(float(weight.sum()), 1.0)
    for_both = [(p * weight).sum((0, 1)) / n_px for p in (source, picture)]
    spread = [
        np.sqrt((((p - mean) * weight) ** 2).sum((0, 1)) / n_px)
        for p, mean in zip((source, picture), for_both, strict=True)
    ]
    matched = (source - for_both[0]) * (spread[1] / np.maximum(spread[0], 1.0)) + for_both[1]
    return np.asarray(matched, np.float32)


def _made_up_motion(points: Points, rng: np.random.Generator) -> Points:
    """Jaw and mouth open or close, the head turns a little: (478, 2) pixels."""
    centre, size = points.mean(0), float(np.ptp(points, 0).max())
    place = (points - centre) / size
    below = np.clip(place[:, 1] * 2.0, 0.0, 1.0)
    turn = rng.normal(0.0, 0.02) * (1.0 - 4.0 * place[:, 0] ** 2)
    return np.stack([turn * size, below * rng.normal(0.0, 0.03) * size], 1).astype(np.float32)


def _side(face: Face) -> int:
    return int(face.picture.shape[0])


def _box_mask(
    box: tuple[int, int, int, int], landmarks: Points, rng: np.random.Generator, side: int
) -> Mask:
    """The whole box with a hard or soft edge, or only the lower face within it."""
    left, top, right, bottom = box
    mask = np.zeros((side, side), np.float32)
    way = rng.random()
    if way < 0.25:
        return region_mask(landmarks, "lower", rng, side)
    mask[top + (bottom - top) // 2 * int(way > 0.85) : bottom, left:right] = 1.0
    return mask if rng.random() < 0.6 else soften(mask, rng, rng.uniform(1.0, 5.0))


def _broad_mask(face: Face, rng: np.random.Generator) -> Mask:
    """Half of the time everything, as generators draw hair and ground too."""
    if rng.random() < 0.5:
        return np.ones((_side(face), _side(face)), np.float32)
    region = "whole" if rng.random() < 0.7 else "lower"
    return region_mask(face.landmarks, region, rng, _side(face))
