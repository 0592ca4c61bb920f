"""Aligned crops: every face upright at one scale, every mouth centred, by a similarity transform.

Eyes and mouth are means over many mesh points, so that one noisy point does not shake the crop.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.observation import FACE_CROP_PX, MOUTH_CROP_PX

# Contours of the mediapipe face mesh (478 points, refined); left and right as seen in the picture.
LEFT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
RIGHT_EYE = (362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398)
OUTER_LIPS = (
    61,
    146,
    91,
    181,
    84,
    17,
    314,
    405,
    321,
    375,
    291,
    409,
    270,
    269,
    267,
    0,
    37,
    39,
    40,
    185,
)

# Where eyes and mouth come to lie in the face crop: forehead to chin fill three quarters of it.
_TEMPLATE = np.array([[83.0, 88.0], [141.0, 88.0], [112.0, 148.0]])


def face_transform(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """Similarity that takes picture pixels to face-crop pixels.

    Args:
        landmarks: (478, 2) mesh points x, y in picture pixels.

    Returns:
        (2, 3) float64, for ``cv2.warpAffine``; least squares (Umeyama 1991).
    """
    points = np.asarray(landmarks, np.float64)
    source = np.stack([points[list(ids)].mean(0) for ids in (LEFT_EYE, RIGHT_EYE, OUTER_LIPS)])
    source_centre, target_centre = source.mean(0), _TEMPLATE.mean(0)
    a, b = source - source_centre, _TEMPLATE - target_centre
    # In the plane a similarity is a complex factor: closed form, and never a reflection.
    z, w = a[:, 0] + 1j * a[:, 1], b[:, 0] + 1j * b[:, 1]
    factor = np.vdot(z, w) / max(float(np.vdot(z, z).real), 1e-9)
    linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.hstack([linear, (target_centre - linear @ source_centre)[:, None]])


def mouth_transform(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """Similarity that takes picture pixels to mouth-crop pixels: the face's scale, lips centred."""
    transform = face_transform(landmarks)
    lips = np.asarray(landmarks, np.float64)[list(OUTER_LIPS)].mean(0)
    transform[:, 2] += MOUTH_CROP_PX / 2 - (transform[:, :2] @ lips + transform[:, 2])
    return transform


def align_face(picture: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Face crop: (H, W, 3) uint8 RGB picture to (224, 224, 3) uint8 RGB."""
    return _warp(picture, face_transform(landmarks), FACE_CROP_PX)


def align_mouth(picture: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Mouth crop: (H, W, 3) uint8 RGB picture to (96, 96) uint8 grey (ITU-R BT.601 luma)."""
    crop = _warp(picture, mouth_transform(landmarks), MOUTH_CROP_PX)
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)


def _warp(
    picture: NDArray[np.uint8], transform: NDArray[np.float64], side_px: int
) -> NDArray[np.uint8]:
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    if scale < 0.5:  # far above crop size: shrink by area first, or the warp aliases
        factor = 2.0 * scale
        smaller = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        picture = np.asarray(smaller, np.uint8)
        transform = transform / np.array([[factor, factor, 1.0]])
    return np.asarray(
        cv2.warpAffine(
            picture,
            transform,
            (side_px, side_px),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        ),
        np.uint8,
    )
