"""A sealed photograph against a file: which parts of the picture are no longer what they were."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.provenance.changes import Change, Kind
from avdetect.provenance.lanes import CELL
from avdetect.provenance.picture_print import Mosaic

_LEAST_GREY = 6.0
_TIMES_USUAL = 3.0
_MOST_GREY = 20.0  # no codec moves block averages so far, even if all of them differ
_LEAST_CELLS = 4  # fewer are the edge of a strong contrast that a codec moved
UNRELATED_SHARE = 0.6


def altered_cells(sealed: Mosaic, shown: Mosaic) -> NDArray[np.bool_]:
    """(side - 2, side - 2) bool: cells of `CELL` x `CELL` blocks that no codec moves so far."""
    gap = np.abs(shown.astype(np.float32) - sealed.astype(np.float32))
    windows = np.lib.stride_tricks.sliding_window_view(gap, (CELL, CELL), axis=(0, 1))
    cells = windows.mean(axis=(3, 4)).max(axis=2)
    limit = min(_LEAST_GREY + _TIMES_USUAL * float(np.median(cells)), _MOST_GREY)
    return np.asarray(cells > limit)


def still_changes(altered: NDArray[np.bool_], name: str) -> Iterator[Change]:
    """One change for every connected part of the (side - 2, side - 2) cells of `altered_cells`."""
    side = altered.shape[0] + CELL - 1
    _, _, stats, _ = cv2.connectedComponentsWithStats(altered.astype(np.uint8), connectivity=8)
    for left, top, width, height, n_cells in stats[1:].tolist():
        if n_cells < _LEAST_CELLS:
            continue
        right, bottom = left + width + CELL - 1, top + height + CELL - 1
        box = (left / side, top / side, right / side, bottom / side)
        yield Change(Kind.ALTERED, name, (0.0, 0.0), (0.0, 0.0), box)
