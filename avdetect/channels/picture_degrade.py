"""What cameras, editors and lines do to successive pictures; each keeps their number and clock.

All take (T, H, W, 3) uint8 RGB and return the same, of the same size unless it is said.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.channels.picture_codecs import Picture, Pictures

_SHADOW_SHARE = 0.25  # of the variance of sensor noise that does not grow with light


def to_bytes(values: NDArray[np.floating]) -> Picture:
    """Round and clip to uint8."""
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def at_short_side(
    pictures: Pictures, side_px: int, inner: Callable[[Pictures], Pictures] | None = None
) -> Pictures:
    """Make the shorter side ``side_px`` long, do ``inner`` there, and enlarge back.

    ``360`` is what "360p" means upright and across. Smaller pictures are not resized.
    """
    height, width = pictures.shape[1:3]
    scale = min(1.0, side_px / min(height, width))
    small = (max(2, round(width * scale)), max(2, round(height * scale)))
    if scale < 1.0:
        pictures = _each(pictures, lambda p: cv2.resize(p, small, interpolation=cv2.INTER_AREA))
    pictures = inner(pictures) if inner else pictures
    if scale < 1.0:
        back = (width, height)
        pictures = _each(pictures, lambda p: cv2.resize(p, back, interpolation=cv2.INTER_CUBIC))
    return pictures


def blur(pictures: Pictures, sigma_px: float) -> Pictures:
    """Gaussian blur with a standard deviation in pixels."""
    return _each(pictures, lambda p: cv2.GaussianBlur(p, (0, 0), sigma_px))


def sensor_noise(pictures: Pictures, deviation: float, rng: np.random.Generator) -> Pictures:
    """Independent noise of ``deviation`` 8-bit steps at mid grey, more in light than in shadow.

    Poisson-Gaussian model (Foi et al. 2008): the variance is a constant plus a share of the light.
    """

    def one(picture: Picture) -> Picture:
        light = picture.astype(np.float32)
        spread = deviation * np.sqrt(_SHADOW_SHARE + (1.0 - _SHADOW_SHARE) / 128.0 * light)
        return to_bytes(light + spread * rng.standard_normal(picture.shape, np.float32))

    return _each(pictures, one)


def tone(
    pictures: Pictures, *, gamma: float = 1.0, contrast: float = 1.0, bias: float = 0.0
) -> Pictures:
    """Gamma, then contrast about mid grey, then ``bias`` in 8-bit steps."""
    steps = (np.arange(256) / 255.0) ** gamma * 255.0
    curve = to_bytes((steps - 127.5) * contrast + 127.5 + bias)
    return np.asarray(curve[pictures], np.uint8)


def drop_frames(
    pictures: Pictures, loss: float, burst: float, rng: np.random.Generator
) -> Pictures:
    """Lose pictures in bursts; the last one stays on the screen.

    Args:
        pictures: (T, H, W, 3); the first is never lost.
        loss: share of pictures lost, 0..1.
        burst: mean number lost in a row, >= 1.
        rng: draws the losses (a two-state Gilbert model).
    """
    enter = min(1.0, loss / max(1.0 - loss, 1e-6) / burst)
    shown = np.arange(len(pictures))
    gone = False
    for index in range(1, len(pictures)):
        gone = bool(rng.random() < (1.0 - 1.0 / burst if gone else enter))
        if gone:
            shown[index] = shown[index - 1]
    return pictures[shown]


def halve_frame_rate(pictures: Pictures) -> Pictures:
    """Show every second picture twice as long."""
    return pictures[np.arange(len(pictures)) // 2 * 2]


def crop(pictures: Pictures, share: float) -> Pictures:
    """Keep the middle ``share`` of both sides; the result is smaller."""
    height, width = pictures.shape[1:3]
    keep_h, keep_w = max(2, round(height * share)), max(2, round(width * share))
    top, left = (height - keep_h) // 2, (width - keep_w) // 2
    return np.ascontiguousarray(pictures[:, top : top + keep_h, left : left + keep_w])


def mirror(pictures: Pictures) -> Pictures:
    """Left becomes right."""
    return np.ascontiguousarray(pictures[:, :, ::-1])


def overlay_logo(pictures: Pictures) -> Pictures:
    """A half transparent ring with letters in the upper right corner, an eighth as high."""
    height, width = pictures.shape[1:3]
    size = max(8, min(height, width) // 8)
    logo = np.zeros((size, size, 1), np.uint8)
    ring = max(1, size // 10)
    cv2.circle(logo, (size // 2, size // 2), size // 2 - ring, 255, ring, cv2.LINE_AA)
    cv2.putText(
        logo,
        "TV",
        (size // 5, size * 2 // 3),
        cv2.FONT_HERSHEY_SIMPLEX,
        size / 50,
        255,
        max(1, size // 24),
        cv2.LINE_AA,
    )
    edge = size // 4
    top, left = min(edge, height - size), max(0, width - size - edge)
    covered = pictures.copy()
    place = covered[:, top : top + size, left : left + size]
    place[:] = to_bytes(place + (255.0 - place) * (logo / 510.0))
    return covered


def caption_bar(pictures: Pictures) -> Pictures:
    """A dark bar with a line of white words over the lowest eighth."""
    height, width = pictures.shape[1:3]
    bar = max(4, height // 8)
    words = np.zeros((bar, width, 1), np.uint8)
    cv2.putText(
        words,
        "LIVE: a line of words as subtitles have",
        (max(1, width // 40), bar * 2 // 3),
        cv2.FONT_HERSHEY_SIMPLEX,
        min(bar / 50, width / 720),
        255,
        max(1, bar // 24),
        cv2.LINE_AA,
    )
    covered = pictures.copy()
    covered[:, height - bar :] = np.maximum(covered[:, height - bar :] // 4, words)
    return covered


def _each(pictures: Pictures, step: Callable[[Picture], NDArray[np.generic]]) -> Pictures:
    """One picture after the other, so that no second copy of all of them is held as floats."""
    return np.stack([np.asarray(step(picture), np.uint8) for picture in pictures])
