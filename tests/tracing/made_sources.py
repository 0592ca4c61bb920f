"""Pictures by makers whose up-sampling is known, drawn in code."""

from __future__ import annotations

import cv2
import numpy as np

SIDE_PX = 128


def small(rng: np.random.Generator) -> np.ndarray:
    """(64, 64, 3) float32 smooth content with some noise: what a maker up-samples."""
    coarse = rng.uniform(40, 215, (6, 6, 3)).astype(np.float32)
    content = cv2.resize(coarse, (64, 64), interpolation=cv2.INTER_CUBIC)
    return content + rng.normal(0, 6, (64, 64, 3)).astype(np.float32)


def nearest(rng: np.random.Generator) -> np.ndarray:
    """(128, 128, 3) uint8: every pixel twice each way."""
    return _byte(np.repeat(np.repeat(small(rng), 2, 0), 2, 1))


def transposed(rng: np.random.Generator) -> np.ndarray:
    """(128, 128, 3) uint8: zeros between pixels, then a short filter: a checkerboard remains."""
    spread = np.zeros((SIDE_PX, SIDE_PX, 3), np.float32)
    spread[::2, ::2] = small(rng)
    kernel = np.outer([0.55, 1.0, 0.55], [0.55, 1.0, 0.55]).astype(np.float32)
    return _byte(cv2.filter2D(spread, -1, kernel))


def smooth(rng: np.random.Generator) -> np.ndarray:
    """(128, 128, 3) uint8: bicubic up-sampling."""
    return _byte(cv2.resize(small(rng), (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC))


def noisy(rng: np.random.Generator) -> np.ndarray:
    """(128, 128, 3) uint8: white noise over smooth content, no up-sampling: as a sensor has it."""
    coarse = rng.uniform(40, 215, (6, 6, 3)).astype(np.float32)
    content = cv2.resize(coarse, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
    return _byte(content + rng.normal(0, 6, content.shape))


MAKERS = {"nearest": nearest, "transposed": transposed, "smooth": smooth}


def _byte(values: np.ndarray) -> np.ndarray:
    return np.clip(values, 0, 255).round().astype(np.uint8)
