"""Where a face and its parts are from frame to frame, free of the picture's size and place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avdetect.faces.align import face_transform
from avdetect.observation import FACE_CROP_PX

# Nose, chin, corners and middle of the lips, corners and lids of the eyes.
_POINTS = [1, 152, 61, 291, 13, 14, 33, 263, 159, 145, 386, 374]
MOTION_WIDTH = 2 * len(_POINTS) + 4


def face_motion(landmarks: NDArray[np.floating]) -> NDArray[np.float32]:
    """Shape within the aligned crop, and pose against the first frame.

    Args:
        landmarks: (T, 478, 2) mesh points x, y in picture pixels, T >= 1.

    Returns:
        (T, MOTION_WIDTH) float32: twelve points in crops (0..1), then shift x and y in crops,
        doublings of size and turn in radians since the first frame.
    """
    points = np.asarray(landmarks, np.float64)
    transforms = np.stack([face_transform(each) for each in points])
    factor = transforms[:, 0, 0] + 1j * transforms[:, 1, 0]
    shape = np.einsum("tij,tpj->tpi", transforms[:, :, :2], points[:, _POINTS])
    shape = (shape + transforms[:, None, :, 2]) / FACE_CROP_PX
    centre = points.mean(1)
    shift = (centre - centre[0]) * np.abs(factor[0]) / FACE_CROP_PX
    relative = factor[0] / np.where(np.abs(factor) > 0.0, factor, 1.0)
    size = np.log2(np.maximum(np.abs(relative), 1e-6))
    pose = np.column_stack([shift, size, np.angle(relative)])
    return np.concatenate([shape.reshape(len(points), -1), pose], 1).astype(np.float32)
