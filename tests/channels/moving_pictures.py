"""Small textured pictures that move, and how much of them is lost."""

from __future__ import annotations

import cv2
import numpy as np


def moving_pictures(
    n_pictures: int, height: int = 64, width: int = 80, seed: int = 0
) -> np.ndarray:
    """(T, H, W, 3) uint8: a texture that wanders two pixels a picture."""
    rng = np.random.default_rng(seed)
    texture = rng.uniform(0, 255, (height, width + 2 * n_pictures, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(texture, (0, 0), 2.0)
    smooth = np.clip(127 + (smooth - smooth.mean()) * 4, 0, 255).astype(np.uint8)
    return np.stack([smooth[:, 2 * t : 2 * t + width] for t in range(n_pictures)])


def psnr_db(pictures: np.ndarray, truth: np.ndarray) -> float:
    """Peak signal-to-noise ratio of 8-bit pictures."""
    return float(10 * np.log10(255**2 / np.mean((pictures.astype(float) - truth) ** 2)))
