"""Patches of skin in the aligned face crop, and their mean colours over time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Left, top, right, bottom in the 224 px crop, whose eyes lie at (83, 88) and (141, 88), whose
# mouth at (112, 148): forehead, both cheeks above and below, chin. Lips and eyes move, hair hides.
SKIN: tuple[tuple[str, tuple[int, int, int, int]], ...] = (
    ("forehead, left", (88, 50, 111, 70)),
    ("forehead, right", (113, 50, 136, 70)),
    ("cheek, left", (68, 104, 93, 122)),
    ("cheek, right", (131, 104, 156, 122)),
    ("lower cheek, left", (70, 124, 90, 146)),
    ("lower cheek, right", (134, 124, 154, 146)),
    ("nose", (102, 98, 122, 122)),
    ("chin", (100, 166, 124, 180)),
)
N_PATCHES = len(SKIN)


def patch_colours(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(T, 224, 224, 3) uint8 RGB crops to (T, 8, 3) mean colours of the patches, 0..255."""
    means = [
        faces[:, top:bottom, left:right].mean(axis=(1, 2), dtype=np.float32)
        for _, (left, top, right, bottom) in SKIN
    ]
    return np.stack(means, 1)
