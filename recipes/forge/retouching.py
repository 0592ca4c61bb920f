"""What forgers do to pixels: render anew, resample, misfit, sharpen, colour, lay one on another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from recipes.forge.picture_channel import jpeg, sharpen, to_bytes

Picture = NDArray[np.uint8]
Points = NDArray[np.float32]

# Auto-encoders leave a line along the picture's rim that no generator's face crop would show.
_RIM_PX = 4
_FLOW_CELLS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A (S, S, 3) uint8 RGB picture and its (478, 2) float32 mesh points in pixels."""

    picture: Picture
    landmarks: Points


def as_picture(pixels: NDArray[Any]) -> Picture:
    """8-bit pixels, for the type checker: OpenCV does not tell its own."""
    return np.asarray(pixels, np.uint8)


def render_anew(picture: Picture, rng: np.random.Generator) -> Picture:
    """Another rendering of the same picture: tone, sharpness, resolution, JPEG or noise."""
    out = picture
    if rng.random() < 0.5:
        gain = rng.uniform(0.9, 1.1, 3)
        out = to_bytes(out * gain + rng.uniform(-12.0, 12.0, 3))
    step = rng.random()
    if step < 0.3:
        out = regrid(out, rng.uniform(0.35, 0.9), rng)
    elif step < 0.5:
        out = sharpen(out, rng.uniform(0.3, 1.5))
    elif step < 0.7:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 1.8)), np.uint8)
    elif step < 0.8:
        out = to_bytes(out + rng.normal(0.0, rng.uniform(2.0, 6.0), out.shape))
    if rng.random() < 0.3:
        out = jpeg(out, int(rng.integers(30, 90)))
    return out


def regrid(picture: Picture, factor: float, rng: np.random.Generator) -> Picture:
    """Through a grid ``factor`` as fine and back, by interpolations of chance."""
    side = picture.shape[0]
    n_px = max(24, int(side * factor))
    ways = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA)
    small = cv2.resize(picture, (n_px, n_px), interpolation=int(rng.choice(ways)))
    return np.asarray(cv2.resize(small, (side, side), interpolation=int(rng.choice(ways[:2]))))


def nudge(picture: Picture, rng: np.random.Generator) -> Picture:
    """A slight misfit: shift, scale and turn by a few percent, with its resampling."""
    side = picture.shape[0]
    angle_deg, scale = rng.normal(0.0, 1.5), rng.normal(1.0, 0.02)
    turn = np.asarray(cv2.getRotationMatrix2D((side / 2, side / 2), angle_deg, scale), np.float64)
    turn[:, 2] += rng.normal(0.0, 2.0, 2)
    return np.asarray(
        cv2.warpAffine(picture, turn, (side, side), borderMode=cv2.BORDER_REFLECT_101), np.uint8
    )


def lay_onto(other: Face, face: Face) -> NDArray[np.float32]:
    """Another face laid over this one by the best similarity between their meshes."""
    transform = cv2.estimateAffinePartial2D(other.landmarks, face.landmarks)[0]
    side = face.picture.shape[0]
    laid = cv2.warpAffine(
        np.asarray(other.picture), transform, (side, side), borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(laid, np.float32)


def drive(
    picture: Picture, points: Points, wanted: Points, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Warp a picture so that its mesh comes to lie where another mesh does; fades off the head.

    Args:
        picture: (S, S, 3) uint8.
        points: (478, 2) its mesh.
        wanted: (478, 2) where the mesh shall lie.
        rng: chooses the interpolation.

    Returns:
        (S, S, 3) float32.
    """
    side = picture.shape[0]
    shift = _dense(wanted, points - wanted, side)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    way = int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_LINEAR, cv2.INTER_CUBIC)))
    warped = cv2.remap(
        picture, x + shift[..., 0], y + shift[..., 1], way, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(warped, np.float32)


def _dense(points: Points, shifts: Points, side: int) -> NDArray[np.float32]:
    """(N, 2) shifts at points to (side, side, 2): fine where points are dense, smooth beyond."""
    grid = np.zeros((_FLOW_CELLS, _FLOW_CELLS, 3), np.float32)
    cells = np.clip(points * (_FLOW_CELLS / side), 0, _FLOW_CELLS - 1).astype(int)
    np.add.at(
        grid, (cells[:, 1], cells[:, 0]), np.concatenate([shifts, np.ones_like(shifts[:, :1])], 1)
    )
    field = np.zeros((_FLOW_CELLS, _FLOW_CELLS, 2), np.float32)
    for sigma in (16.0, 6.0, 2.0):  # coarse first; where finer knows anything, it overrides
        spread = np.asarray(cv2.GaussianBlur(grid, (0, 0), sigma), np.float32)
        known = spread[..., 2:]
        local = spread[..., :2] / np.maximum(known, 1e-6)
        sure = known / (known + 0.02)
        field = np.asarray(field * (1.0 - sure) + local * sure, np.float32)
    return np.asarray(cv2.resize(field, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)


def with_tone_of(
    picture: Picture, drawn: NDArray[np.float32], sigma_px: float
) -> NDArray[np.float32]:
    """Large-scale colour of the real picture: a small auto-encoder loses it, generators do not."""
    lost = picture - drawn
    return np.asarray(drawn + cv2.GaussianBlur(lost, (0, 0), sigma_px), np.float32)


def with_rim_of(picture: Picture, drawn: Picture) -> NDArray[np.float32]:
    """A drawn picture within the outermost pixels of the real one."""
    framed = picture.astype(np.float32)
    inner = slice(_RIM_PX, -_RIM_PX)
    framed[inner, inner] = drawn[inner, inner]
    return framed


def coloured_noise(side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise with peaks on the frequencies that enlarging by 2 and 4 leaves."""
    spectrum = np.fft.rfft2(rng.standard_normal((side, side)))
    shape = np.full(spectrum.shape, 0.3)
    for period in (2, 4):
        shape[side // period, :] = shape[:, side // period] = rng.uniform(0.0, 3.0)
    noise = np.fft.irfft2(spectrum * shape, (side, side))
    strength = rng.uniform(0.5, 2.5) / max(float(noise.std()), 1e-6)
    return np.asarray(noise[..., None] * strength, np.float32)
