"""How far a shielded picture or recording is from what it was, in decibels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_PEAK = 255.0


def psnr_db(original: NDArray[np.uint8], changed: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of 8-bit pictures of one shape; infinite where nothing differs."""
    difference = original.astype(np.float64) - changed.astype(np.float64)
    error = float(np.mean(difference**2)) if difference.size else 0.0
    return math.inf if error == 0.0 else 10.0 * math.log10(_PEAK**2 / error)


def snr_db(original: NDArray[np.floating], changed: NDArray[np.floating]) -> float:
    """Signal-to-noise ratio over all samples of all channels; infinite where nothing differs."""
    signal = float(np.sum(np.square(original, dtype=np.float64)))
    difference = changed.astype(np.float64) - original.astype(np.float64)
    noise = float(np.sum(difference**2))
    if noise == 0.0:
        return math.inf
    return -math.inf if signal == 0.0 else 10.0 * math.log10(signal / noise)
