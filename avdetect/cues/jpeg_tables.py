"""Quantisation tables of JPEG: which quality of the common encoder a table stands for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Luminance table of ITU-T T.81, annex K.1, in zigzag order; encoders scale it by their quality.
_STANDARD = np.array(
    [
        *(16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49),
        *(35, 37, 29, 40, 58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56),
        *(80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103),
        99,
    ]
)


def standard_table(quality: int) -> NDArray[np.int64]:
    """(64,) luminance steps in zigzag order of a quality of 1 to 100, as libjpeg scales them."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.asarray(np.clip((_STANDARD * scale + 50) // 100, 1, 255), np.int64)


def exact_quality(table: Sequence[int]) -> int | None:
    """The quality at which libjpeg writes just this luminance table; None of any other table."""
    for quality in range(100, 0, -1):
        if np.array_equal(standard_table(quality), table):
            return quality
    return None


def near_quality(steps: Sequence[int], positions: Sequence[int]) -> int:
    """The quality whose table comes nearest to some steps.

    Args:
        steps: at least one.
        positions: their places in zigzag order.
    """
    wanted = np.log(np.maximum(1, np.asarray(steps, np.float64)))
    tables = np.log(np.stack([standard_table(quality) for quality in range(1, 101)]))
    away = np.median(np.abs(tables[:, list(positions)] - wanted), axis=1)
    return int(np.flatnonzero(away == away.min())[-1]) + 1
