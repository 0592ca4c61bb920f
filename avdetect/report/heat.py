"""A forgery map as colours over its face: clear where nothing is seen, else yellow to red."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_YELLOW, _RED = np.array([255.0, 214.0, 10.0]), np.array([200.0, 16.0, 16.0])
_DENSEST = 0.65  # the face stays visible under the surest cell
_CLEAR_BELOW = 0.1

MEANING = (
    "Colours show where the face network takes the picture for forged, from yellow (hardly) to red "
    "(surely); the outer rim is not looked at. A map is weak evidence: it is coarse, it often "
    "points to where forgeries usually lie, and no decision should rest on it."
)


def heat(forgery_map: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Colour and density of a map.

    Args:
        forgery_map: (H, W) in [0, 1].

    Returns:
        (H, W, 3) float32 RGB in [0, 255] and (H, W, 1) float32 density in [0, 1].
    """
    level = np.clip((forgery_map - _CLEAR_BELOW) / (1.0 - _CLEAR_BELOW), 0.0, 1.0)[..., None]
    colour = _YELLOW + (_RED - _YELLOW) * level
    # The root lets weak cells be seen at all; clear stays clear.
    return colour.astype(np.float32), (_DENSEST * np.sqrt(level)).astype(np.float32)


def with_heat(picture: NDArray[np.uint8], forgery_map: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Lay a map over the picture it belongs to.

    Args:
        picture: (H, W, 3) uint8 RGB.
        forgery_map: (h, w) in [0, 1]; stretched over the picture.
    """
    height, width = picture.shape[:2]
    stretched = cv2.resize(forgery_map, (width, height), interpolation=cv2.INTER_LINEAR)
    colour, density = heat(np.asarray(stretched, np.float32))
    return np.asarray(np.rint(picture * (1.0 - density) + colour * density), np.uint8)
