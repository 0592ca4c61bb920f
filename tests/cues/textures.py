"""Pictures made in code that have detail at every scale, as photographs have; seeded."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image


def texture(
    height: int = 256, width: int = 256, seed: int = 0, noise: float = 2.0, fall: float = 1.2
) -> np.ndarray:
    """(H, W, 3) uint8: clouds whose amplitude falls as 1/f^fall, in colour, with noise."""
    rng = np.random.default_rng(seed)
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
    radius[0, 0] = 1.0
    planes = []
    for _ in range(3):
        spectrum = np.fft.fft2(rng.standard_normal((height, width))) / radius**fall
        spectrum[0, 0] = 0.0
        plane = np.fft.ifft2(spectrum).real
        planes.append(plane / plane.std())
    light = planes[0]
    colour = np.stack([light + 0.3 * planes[1], light, light + 0.3 * planes[2]], axis=-1)
    picture = 128 + 42 * colour + noise * rng.standard_normal((height, width, 3))
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def jpeg_bytes(picture: np.ndarray, quality: int, **options) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=quality, **options)
    return out.getvalue()


def png_bytes(picture: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


def decoded(blob: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(blob)) as image:
        return np.asarray(image.convert("RGB"))


def softened(picture: np.ndarray, scale: float) -> np.ndarray:
    """Made smaller and enlarged again: what a face warped from another size went through."""
    height, width = picture.shape[:2]
    small = cv2.resize(
        picture, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA
    )
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
