"""Where a face's parts lie in a picture's own pixels: masks drawn from the mesh, and small views.

Indices are those of the mediapipe face mesh (478 points, refined irises).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.cues.faces import FaceMoment

FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
LEFT_BROW = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
RIGHT_BROW = (336, 296, 334, 293, 300, 276, 283, 282, 295, 285)
LARGEST_VIEW_PX = 320
_LUMA_OF_RGB = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601

Mask = NDArray[np.bool_]
Plane = NDArray[np.float32]
Box = tuple[int, int, int, int]


def luma(picture: NDArray[np.uint8]) -> Plane:
    """(H, W, 3) uint8 RGB to (H, W) float32 brightness, 0 to 255 and not rounded."""
    return np.asarray(picture.astype(np.float32) @ _LUMA_OF_RGB, np.float32)


def neighbourhood(moment: FaceMoment, reach: float, most_px: int = 1024) -> Box:
    """Left, top, right, bottom of the face's box grown by ``reach`` of its sides, in the picture.

    No side is longer than ``most_px``: what is cut off lies away from the face.
    """
    left, top, right, bottom = moment.box
    height, width = moment.picture.pixels.shape[:2]
    half_w = min((right - left) * (0.5 + reach), most_px / 2)
    half_h = min((bottom - top) * (0.5 + reach), most_px / 2)
    x, y = (left + right) / 2, (top + bottom) / 2
    return (
        max(0, round(x - half_w)),
        max(0, round(y - half_h)),
        min(width, round(x + half_w)),
        min(height, round(y + half_h)),
    )


def cut(picture: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """(H, W, 3) to (h, w, 3), the pixels of a box, as they are; a view of the picture."""
    left, top, right, bottom = box
    return picture[top:bottom, left:right]


def polygon(
    landmarks: NDArray[np.float32], points: Sequence[int], box: Box, *, grow: float = 1.0
) -> Mask:
    """Mask of the convex hull of mesh points.

    Args:
        landmarks: (478, 2) in pixels of the picture.
        points: indices into them.
        box: part of the picture that the mask covers.
        grow: scale about the hull's centre.

    Returns:
        (bottom - top, right - left) bool.
    """
    left, top, right, bottom = box
    mask = np.zeros((bottom - top, right - left), np.uint8)
    corners = landmarks[list(points)] - np.array([left, top], np.float32)
    corners = corners.mean(0) + grow * (corners - corners.mean(0))
    hull = cv2.convexHull(np.round(corners).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 1)
    return mask.astype(bool)


def view(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) to at most `LARGEST_VIEW_PX` a side for the report, enlarged by whole steps."""
    longest = max(picture.shape[:2])
    scale: float = LARGEST_VIEW_PX / longest
    if scale >= 1.0:
        scale = float(int(scale))
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    else:
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small[:LARGEST_VIEW_PX, :LARGEST_VIEW_PX], np.uint8)


def heat(
    values: NDArray[np.floating], low: float, high: float, under: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Values as colours from dark (``low``) to bright (``high``).

    Args:
        values: (h, w), resized to ``under`` if that is given.
        low: value of the dark end.
        high: value of the bright end.
        under: (H, W, 3) uint8 RGB that shines through, None for bare colours.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    level = np.clip((np.asarray(values, np.float64) - low) / max(high - low, 1e-9), 0.0, 1.0)
    coloured = cv2.applyColorMap(np.round(255 * level).astype(np.uint8), cv2.COLORMAP_INFERNO)
    rgb = np.asarray(cv2.cvtColor(coloured, cv2.COLOR_BGR2RGB), np.uint8)
    if under is None:
        return rgb
    height, width = under.shape[:2]
    large = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_NEAREST)
    grey = np.repeat(cv2.cvtColor(under, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    return np.asarray(cv2.addWeighted(large, 0.6, np.asarray(grey, np.uint8), 0.4, 0.0), np.uint8)
