"""The outline of the lips, with the head's turn, place and size taken out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avdetect.faces.align import OUTER_LIPS, mouth_transform
from avdetect.observation import MOUTH_CROP_PX

INNER_LIPS = (
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
    *(415, 310, 311, 312, 13, 82, 81, 80, 191),
)
LIP_POINTS = (*OUTER_LIPS, *INNER_LIPS)


def lip_points(landmarks: NDArray[np.floating]) -> NDArray[np.float32]:
    """Lip contours in units of half the mouth crop, head turn and size taken out.

    Args:
        landmarks: (T, 478, 2) mesh points in pixels of the source picture.

    Returns:
        (T, 40, 2) float32, about [-1, 1], in the order of `LIP_POINTS`.
    """
    half_px = MOUTH_CROP_PX / 2
    points = np.zeros((len(landmarks), len(LIP_POINTS), 2), np.float32)
    for t, mesh in enumerate(np.asarray(landmarks, np.float64)):
        transform = mouth_transform(mesh)
        placed = mesh[list(LIP_POINTS)] @ transform[:, :2].T + transform[:, 2]
        points[t] = (placed - half_px) / half_px
    return points
