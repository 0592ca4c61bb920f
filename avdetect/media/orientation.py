"""Turning pictures upright as their display matrix says (phones record on the side)."""

from __future__ import annotations

from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

Axes = NDArray[np.int64]

_FIXED_POINT = 1 << 16  # the first two columns of the matrix are 16.16 fixed point


def display_axes(frame: VideoFrame) -> Axes:
    """The (2, 2) map with entries -1, 0, 1 from stored to shown axes; identity where none is told.

    Rows are x' and y' as sums over stored x, y. Anything but quarter turns and mirrorings is
    left as it is. Ask once for a stream: the side data of a PyAV frame form a reference cycle with
    it, and frames would pile up until the garbage collector runs.
    """
    try:
        data: Any = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV 18 refuses all side data of a frame that carries EXIF
        return _turn(frame.rotation)
    if data is None:
        return _turn(0)
    m = np.frombuffer(data, "<i4")[:9].astype(np.float64) / _FIXED_POINT
    axes = np.rint(np.array([[m[0], m[3]], [m[1], m[4]]])).astype(np.int64)
    upright = np.abs(axes).tolist() in ([[1, 0], [0, 1]], [[0, 1], [1, 0]])
    return axes if upright else _turn(0)


def _turn(counterclockwise_deg: int) -> Axes:
    quarters = round(counterclockwise_deg / 90) % 4
    return np.linalg.matrix_power(np.array([[0, 1], [-1, 0]]), quarters)


def is_transposed(axes: Axes) -> bool:
    """Whether width and height change places when the picture is shown."""
    return bool(axes[0, 0] == 0)


def turn_upright(picture: NDArray[np.uint8], axes: Axes) -> NDArray[np.uint8]:
    """The picture as it is to be shown: (H, W, 3) to (H, W, 3) or (W, H, 3), same values."""
    if is_transposed(axes):
        picture = picture.transpose(1, 0, 2)
    if axes[0].sum() < 0:
        picture = picture[:, ::-1]
    if axes[1].sum() < 0:
        picture = picture[::-1]
    return np.ascontiguousarray(picture)
