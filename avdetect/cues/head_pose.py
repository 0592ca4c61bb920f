"""How a head moves, from mesh points that neither lips nor jaw nor lids carry along."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Corners of the eyes, bridge and tip of the nose, forehead and temples.
RIGID_POINTS = (33, 133, 362, 263, 168, 6, 197, 1, 9, 151, 10, 127, 356, 54, 284)
POSE = ("right", "down", "log_size", "roll", "yaw", "pitch")
_OUTER_CORNERS = (33, 263)
_BRIDGE, _NOSE_TIP = 168, 1

Array = NDArray[np.float64]


def head_pose(landmarks: NDArray[np.floating]) -> Array:
    """Place, size and turn of a head in each picture.

    Args:
        landmarks: (T, 478, 2) mesh points x, y in picture pixels.

    Returns:
        (T, 6) in the order of `POSE`: centre in picture pixels, natural logarithm of the distance
        of the eyes in pixels, roll in radians, and the nose's offset across and along the face in
        distances of the eyes, which grow with yaw and with pitch.
    """
    points = np.asarray(landmarks, np.float64)
    left, right = points[:, _OUTER_CORNERS[0]], points[:, _OUTER_CORNERS[1]]
    across = right - left
    apart = np.maximum(np.linalg.norm(across, axis=1), 1e-6)
    unit = across / apart[:, None]
    nose = points[:, _NOSE_TIP] - (left + right) / 2.0
    yaw = (nose * unit).sum(1) / apart
    pitch = (unit[:, 0] * nose[:, 1] - unit[:, 1] * nose[:, 0]) / apart
    centre = points[:, list(RIGID_POINTS)].mean(1)
    roll = np.unwrap(np.arctan2(unit[:, 1], unit[:, 0]))
    return np.column_stack([centre, np.log(apart), roll, yaw, pitch])


def head_speed(pose: Array) -> Array:
    """(T, 6) poses at 25 Hz to (T,) speed: shift in distances of the eyes and turn, a second."""
    apart = np.exp(pose[:, 2:3])
    steps = np.gradient(pose, axis=0) * 25.0
    steps[:, :2] /= apart
    return np.asarray(np.sqrt((steps**2).sum(1)))
