"""Blocks of a picture on its own pixel grid: tracing never resizes what it looks at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avdetect.nn.fingerprint_network import BLOCK_PX

MOST_BLOCKS = 36
_STRIDE_PX = BLOCK_PX // 2


def cut_blocks(picture: NDArray[np.uint8], most: int = MOST_BLOCKS) -> NDArray[np.uint8]:
    """Blocks of 64 px, half overlapping, spread evenly where there are more than ``most``.

    Args:
        picture: (H, W, 3) uint8 RGB at native pixels.
        most: blocks at most.

    Returns:
        (N, 64, 64, 3) uint8; N = 0 where the picture is smaller than a block.
    """
    height, width = picture.shape[:2]
    corners = [(top, left) for top in _starts(height) for left in _starts(width)]
    if len(corners) > most:
        chosen = np.linspace(0, len(corners) - 1, most).round().astype(int)
        corners = [corners[index] for index in chosen]
    blocks = [picture[top : top + BLOCK_PX, left : left + BLOCK_PX] for top, left in corners]
    return np.stack(blocks) if blocks else np.zeros((0, BLOCK_PX, BLOCK_PX, 3), np.uint8)


def _starts(length: int) -> list[int]:
    """Every half block, and one more that ends with the picture."""
    if length < BLOCK_PX:
        return []
    last = length - BLOCK_PX
    return sorted({*range(0, last + 1, _STRIDE_PX), last})
