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
    cross_blend  another person's face, colours matched (Face X-Ray, Li et al. 2020)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from recipes.forge.face_masks import REGIONS, Mask, face_box, region_mask, soften
from recipes.forge.picture_channel import jpeg, to_bytes

Picture = NDArray[np.uint8]
Points = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A (S, S, 3) uint8 RGB picture and its (478, 2) float32 mesh points in pixels."""

    picture: Picture
    landmarks: Points


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """All a forger may use.

    Attributes:
        face: the real picture.
        moment: the same person in another frame of the same clip, None for photographs.
        stranger: another person.
        redrawn: the same picture as auto-encoders draw it, pixel on pixel.
    """

    face: Face
    moment: Face | None
    stranger: Face
    redrawn: tuple[Picture, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """A real picture, its forgery, and the (S, S) float32 mask in [0, 1] of what was changed."""

    real: Picture
    fake: Picture
    mask: Mask
    kind: str


# Auto-encoders leave a line along the picture's rim that no generator's face crop would show.
_RIM_PX = 4

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
    source = _render(face.picture, rng)
    if rng.random() < 0.7:
        source = _nudge(source, rng)
    mask = region_mask(face.landmarks, str(rng.choice(REGIONS)), rng, _side(face))
    return source.astype(np.float32), mask * np.float32(rng.choice([0.5, 0.75, 1.0, 1.0, 1.0]))


def _resampled(material: Material, rng: np.random.Generator) -> tuple[NDArray[np.float32], Mask]:
    face = material.face
    source = _nudge(_regrid(face.picture, rng.uniform(0.3, 0.75), rng), rng)
    region = str(rng.choice(["whole", "whole", "lower", "mouth"]))
    return source.astype(np.float32), region_mask(face.landmarks, region, rng, _side(face))


def _lip_box(material: Material, rng: np.random.Generator) -> tuple[NDArray[np.float32], Mask]:
    face, side = material.face, _side(material.face)
    left, top, right, bottom = face_box(face.landmarks, rng, side)
    content = face.picture
    if rng.random() < 0.7:  # true eyes above, another mouth below: what such a network draws
        other = material.moment or Face(picture=_nudge(content, rng), landmarks=face.landmarks)
        lower = region_mask(face.landmarks, "lower", rng, side)[..., None]
        content = to_bytes(content * (1.0 - lower) + _onto(other, face) * lower)
    cell = content[top:bottom, left:right]
    n_px = int(rng.integers(64, 129))  # 96 in the published models, of faces of any size
    small = _picture(cv2.resize(cell, (n_px, n_px), interpolation=cv2.INTER_LINEAR))
    if rng.random() < 0.7:
        small = _picture(cv2.GaussianBlur(small, (0, 0), rng.uniform(0.3, 1.1)))
    if rng.random() < 0.3:
        small = _sharpen(small, rng.uniform(0.2, 1.0))
    small = to_bytes(small * rng.uniform(0.97, 1.03, 3) + rng.uniform(-3.0, 3.0))
    enlarge = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
    source = face.picture.astype(np.float32)
    source[top:bottom, left:right] = cv2.resize(
        small, (right - left, bottom - top), interpolation=enlarge
    )
    return source, _box_mask((left, top, right, bottom), face.landmarks, rng, side)


def _other_moment(material: Material, rng: np.random.Generator) -> tuple[NDArray[np.float32], Mask]:
    face = material.face
    other = material.moment or Face(picture=_nudge(face.picture, rng), landmarks=face.landmarks)
    source = to_bytes(_onto(other, face))
    if rng.random() < 0.6:
        source = _regrid(source, rng.uniform(0.4, 0.9), rng)
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
        source += _coloured_noise(side, rng)
    return source, _broad_mask(face, rng)


def _redrawn(material: Material, rng: np.random.Generator) -> tuple[NDArray[np.float32], Mask]:
    face = material.face
    source = np.asarray(material.redrawn[int(rng.integers(len(material.redrawn)))])
    if rng.random() < 0.5:
        source = _sharpen(source, rng.uniform(0.2, 1.5))
    if rng.random() < 0.4:
        source = _nudge(source, rng)
    blended = _with_tone_of(
        face.picture, _with_rim_of(face.picture, source), rng.uniform(3.0, 10.0)
    )
    if rng.random() < 0.4:
        share = rng.uniform(0.1, 0.5)
        blended = blended * (1.0 - share) + face.picture * share
    return blended, _broad_mask(face, rng)


def _cross_blend(material: Material, rng: np.random.Generator) -> tuple[NDArray[np.float32], Mask]:
    face = material.face
    mask = region_mask(face.landmarks, "whole", rng, _side(face))
    source = _onto(material.stranger, face)
    weight = (mask > 0.5)[..., None]
    n_px = max(float(weight.sum()), 1.0)
    for_both = [(p * weight).sum((0, 1)) / n_px for p in (source, face.picture)]
    spread = [
        np.sqrt((((p - mean) * weight) ** 2).sum((0, 1)) / n_px)
        for p, mean in zip((source, face.picture), for_both, strict=True)
    ]
    source = (source - for_both[0]) * (spread[1] / np.maximum(spread[0], 1.0)) + for_both[1]
    return source.astype(np.float32), mask


KINDS: dict[str, Forger] = {
    "self_blend": _self_blend,
    "resampled": _resampled,
    "lip_box": _lip_box,
    "other_moment": _other_moment,
    "upsampled": _upsampled,
    "redrawn": _redrawn,
    "cross_blend": _cross_blend,
}


def _side(face: Face) -> int:
    return int(face.picture.shape[0])


def _picture(pixels: NDArray[Any]) -> Picture:
    return np.asarray(pixels, np.uint8)


def _render(picture: Picture, rng: np.random.Generator) -> Picture:
    """Another rendering of the same picture: tone, sharpness, resolution, JPEG or noise."""
    out = picture
    if rng.random() < 0.5:
        gain = rng.uniform(0.9, 1.1, 3)
        out = to_bytes(out * gain + rng.uniform(-12.0, 12.0, 3))
    step = rng.random()
    if step < 0.3:
        out = _regrid(out, rng.uniform(0.35, 0.9), rng)
    elif step < 0.5:
        out = _sharpen(out, rng.uniform(0.3, 1.5))
    elif step < 0.7:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 1.8)), np.uint8)
    elif step < 0.8:
        out = to_bytes(out + rng.normal(0.0, rng.uniform(2.0, 6.0), out.shape))
    if rng.random() < 0.3:
        out = jpeg(out, int(rng.integers(30, 90)))
    return out


def _regrid(picture: Picture, factor: float, rng: np.random.Generator) -> Picture:
    side = picture.shape[0]
    n_px = max(24, int(side * factor))
    ways = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA)
    small = cv2.resize(picture, (n_px, n_px), interpolation=int(rng.choice(ways)))
    return np.asarray(cv2.resize(small, (side, side), interpolation=int(rng.choice(ways[:2]))))


def _sharpen(picture: Picture, share: float) -> Picture:
    smooth = cv2.GaussianBlur(picture, (0, 0), 1.5)
    return np.asarray(cv2.addWeighted(picture, 1.0 + share, smooth, -share, 0.0), np.uint8)


def _nudge(picture: Picture, rng: np.random.Generator) -> Picture:
    """A slight misfit: shift, scale and turn by a few percent, with its resampling."""
    side = picture.shape[0]
    angle_deg, scale = rng.normal(0.0, 1.5), rng.normal(1.0, 0.02)
    turn = np.asarray(cv2.getRotationMatrix2D((side / 2, side / 2), angle_deg, scale), np.float64)
    turn[:, 2] += rng.normal(0.0, 2.0, 2)
    return np.asarray(
        cv2.warpAffine(picture, turn, (side, side), borderMode=cv2.BORDER_REFLECT_101), np.uint8
    )


def _onto(other: Face, face: Face) -> NDArray[np.float32]:
    """Another face laid over this one by the best similarity between their meshes."""
    transform = cv2.estimateAffinePartial2D(other.landmarks, face.landmarks)[0]
    side = _side(face)
    laid = cv2.warpAffine(
        np.asarray(other.picture), transform, (side, side), borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(laid, np.float32)


def _with_tone_of(
    picture: Picture, drawn: NDArray[np.float32], sigma_px: float
) -> NDArray[np.float32]:
    """Large-scale colour of the real picture: a small auto-encoder loses it, generators do not."""
    lost = picture - drawn
    return np.asarray(drawn + cv2.GaussianBlur(lost, (0, 0), sigma_px), np.float32)


def _with_rim_of(picture: Picture, drawn: Picture) -> NDArray[np.float32]:
    framed = picture.astype(np.float32)
    inner = slice(_RIM_PX, -_RIM_PX)
    framed[inner, inner] = drawn[inner, inner]
    return framed


def _coloured_noise(side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise with peaks on the frequencies that enlarging by 2 and 4 leaves."""
    spectrum = np.fft.rfft2(rng.standard_normal((side, side)))
    shape = np.full(spectrum.shape, 0.3)
    for period in (2, 4):
        shape[side // period, :] = shape[:, side // period] = rng.uniform(0.0, 3.0)
    noise = np.fft.irfft2(spectrum * shape, (side, side))
    strength = rng.uniform(0.5, 2.5) / max(float(noise.std()), 1e-6)
    return np.asarray(noise[..., None] * strength, np.float32)


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
