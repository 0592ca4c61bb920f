"""Explicit fingerprints: what denoising leaves, averaged over a source's pictures and matched.

The residual of a denoiser carries a generator's regular pattern (Marra et al. 2019, "Do GANs leave
artificial fingerprints?"); it is matched by normalised correlation, pixel by pixel where pictures
share a grid (`correlate`), else by the pattern's spectrum, which does not care where a block was
cut (`residual_spectrum`).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.nn.fingerprint_network import BLOCK_PX

_WINDOW_PX = 3
_NOISE_VARIANCE = 9.0  # of 8-bit levels: a residual is this strong where the picture is flat
_LEAST_POWER = 1e-2
_HALF = BLOCK_PX // 2
N_SPECTRUM = 3 * (_HALF + 1) * (_HALF + 1)

Array = NDArray[np.float32]


def denoising_residual(picture: NDArray[np.uint8]) -> Array:
    """What an adaptive Wiener filter takes away (Lee 1980).

    Args:
        picture: (..., H, W, 3) uint8 RGB.

    Returns:
        (..., H, W, 3) float32 in 8-bit levels.
    """
    if picture.ndim > 3:
        return np.stack([denoising_residual(p) for p in picture])
    values = picture.astype(np.float32)
    size = (_WINDOW_PX, _WINDOW_PX)
    mean = cv2.blur(values, size)
    variance = np.maximum(cv2.blur(values * values, size) - mean * mean, 0.0)
    kept = np.maximum(variance - _NOISE_VARIANCE, 0.0) / np.maximum(variance, _NOISE_VARIANCE)
    return np.asarray((1.0 - kept) * (values - mean), np.float32)


def residual_spectrum(blocks: NDArray[np.uint8]) -> Array:
    """Mean log power spectrum of the residuals of a picture's blocks.

    Args:
        blocks: (N, 64, 64, 3) uint8 RGB, N >= 1.

    Returns:
        (`N_SPECTRUM`,) float32: luma and two colour differences, 33 x 33 frequencies each,
        left-right mirrored pictures alike.
    """
    residual = denoising_residual(blocks)
    luma = residual @ np.array([0.299, 0.587, 0.114], np.float32)
    views = np.stack(
        [luma, residual[..., 0] - residual[..., 1], residual[..., 2] - residual[..., 1]], 1
    )
    views = (views - views.mean((2, 3), keepdims=True)) * np.outer(_taper(), _taper())
    power = (np.abs(np.fft.rfft2(views)) ** 2).mean(0)
    logs = np.log(power + _LEAST_POWER)
    mirrored = logs[:, np.r_[0, BLOCK_PX - 1 : _HALF - 1 : -1]]
    return np.asarray((logs[:, : _HALF + 1] + mirrored) / 2, np.float32).reshape(-1)


def fingerprint_of(residuals: Array) -> Array:
    """(N, ...) residuals or spectra of one source to their mean, its explicit fingerprint."""
    return np.asarray(residuals.mean(0), np.float32)


def correlate(one: Array, other: Array) -> float:
    """Normalised cross-correlation of two arrays of one shape, -1..1; 0 where one is constant."""
    a, b = one.ravel() - one.mean(), other.ravel() - other.mean()
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / scale if scale > 0 else 0.0


def _taper() -> Array:
    return np.hanning(BLOCK_PX).astype(np.float32)
