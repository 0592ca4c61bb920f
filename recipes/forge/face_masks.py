"""Where a face is forged: soft masks from mesh points, never twice the same."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.faces.align import LEFT_EYE, OUTER_LIPS, RIGHT_EYE, face_transform

Mask = NDArray[np.float32]
REGIONS = ("whole", "lower", "mouth", "eyes", "random")
_NOSE_TIP_Y = 118.0  # in the face crop; what lies below it is the lower face
_BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)


def region_mask(
    landmarks: NDArray[np.float32], region: str, rng: np.random.Generator, side_px: int
) -> Mask:
    """Hull of a facial region, bent elastically and softened (Li et al. 2020; SBI 2022).

    Args:
        landmarks: (478, 2) mesh points in pixels of the picture.
        region: one of `REGIONS`.
        rng: source of chance.
        side_px: side of the square picture.

    Returns:
        (side_px, side_px) float32 in [0, 1]; exactly 0 away from the region.
    """
    points = _region_points(landmarks, region, rng)
    centre = points.mean(0)
    points = centre + (points - centre) * rng.uniform(0.85, 1.15, (1, 2))
    mask = np.zeros((side_px, side_px), np.float32)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(points).astype(np.int32)), 1.0)
    if rng.random() < 0.8:
        mask = _bend(mask, rng)
    return soften(mask, rng, rng.uniform(0.5, 9.0))


def soften(mask: Mask, rng: np.random.Generator, sigma_px: float) -> Mask:
    """Blur a mask's edge; half of the time towards its inside, so that nothing leaks outward."""
    soft = cv2.GaussianBlur(mask, (0, 0), max(sigma_px, 0.3))
    if rng.random() < 0.5:
        soft = np.clip(soft * 2.0 - 1.0, 0.0, 1.0)
    return np.asarray(np.where(soft < 0.01, 0.0, np.minimum(soft, 1.0)), np.float32)


def face_box(
    landmarks: NDArray[np.float32], rng: np.random.Generator, side_px: int
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of an upright box about the face, as a face detector would cut."""
    low, high = landmarks.min(0), landmarks.max(0)
    margin = (high - low) * rng.uniform(-0.04, 0.12, 2)
    left, top = np.clip(low - margin * rng.uniform(0.0, 1.0), 0, side_px - 32).astype(int)
    right, bottom = np.clip(high + margin, (left + 24, top + 24), side_px).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _region_points(
    landmarks: NDArray[np.float32], region: str, rng: np.random.Generator
) -> NDArray[np.float32]:
    if region == "whole":
        return landmarks
    if region == "lower":
        crop_y = landmarks @ face_transform(landmarks)[1, :2] + face_transform(landmarks)[1, 2]
        below = crop_y > _NOSE_TIP_Y + rng.uniform(-10.0, 10.0)
        return np.asarray(landmarks[below], np.float32)
    if region == "mouth":
        lips = landmarks[list(OUTER_LIPS)]
        return np.asarray(lips.mean(0) + (lips - lips.mean(0)) * rng.uniform(1.2, 2.2), np.float32)
    if region == "eyes":
        return landmarks[[*LEFT_EYE, *RIGHT_EYE, *_BROWS]]
    return landmarks[rng.choice(len(landmarks), rng.integers(5, 40), replace=False)]


def _bend(mask: Mask, rng: np.random.Generator) -> Mask:
    side = mask.shape[0]
    reach = rng.uniform(2.0, 10.0)
    grid = rng.normal(0.0, reach, (2, 5, 5)).astype(np.float32)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    shift = [cv2.resize(g, (side, side), interpolation=cv2.INTER_CUBIC) for g in grid]
    return np.asarray(cv2.remap(mask, x + shift[0], y + shift[1], cv2.INTER_LINEAR), np.float32)
