"""How sharp a region of a picture is at its own pixels, in numbers that content hardly moves."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.cues.regions import Mask, Plane

_REBLUR_PX = 1.0  # deviation of the second blur that edges are compared with
_STRONGEST = 0.15  # share of a region's pixels that are taken for its edges
_LEAST_EDGE_STEP = 2.0  # grey levels a pixel: weaker slopes are noise
LEAST_EDGES = 40
_MOST_RANKED = 20_000  # pixels that a quantile is taken of


class Edges:
    """Edges of a picture, and what one more blur leaves of their slope.

    An edge blurred once more loses the less of its slope the more blurred it was (Zhuo & Sim 2011,
    "Defocus map estimation from a single image"): a step of blur s keeps s / sqrt(s^2 + r^2).

    Args:
        plane: (H, W) brightness, 0 to 255.
    """

    def __init__(self, plane: Plane) -> None:
        self._slope = _slope(plane)
        self._again = _slope(np.asarray(cv2.GaussianBlur(plane, (0, 0), _REBLUR_PX), np.float32))
        self._is_ridge = _is_ridge(self._slope)

    def blur_px(self, mask: Mask) -> float | None:
        """Median blur of a region's strongest edges, as the deviation of a Gaussian.

        Args:
            mask: (H, W) the region.

        Returns:
            Pixels, 0.2 to 6, with what gradient and pixel grid add (about 0.75); None where the
            region has fewer than `LEAST_EDGES` edges.
        """
        inside = self._slope[mask]
        if len(inside) < LEAST_EDGES:
            return None
        few = inside[:: max(1, len(inside) // _MOST_RANKED)]
        limit = max(_LEAST_EDGE_STEP, float(np.quantile(few, 1.0 - _STRONGEST)))
        strong = mask & self._is_ridge & (self._slope >= limit)
        if int(strong.sum()) < LEAST_EDGES:
            return None
        kept = np.clip(self._again[strong] / self._slope[strong], 0.05, 0.985)
        blur = _REBLUR_PX * kept / np.sqrt(1.0 - kept**2)
        return float(np.clip(np.median(blur), 0.2, 6.0))


def octaves(plane: Plane) -> list[Plane]:
    """(H, W) to three (H, W) bands of detail: finest first, each half as fine as the one before."""
    blurred = [plane, *(_blurred(plane, sigma_px) for sigma_px in (0.7, 1.4, 2.8))]
    return [finer - coarser for finer, coarser in pairwise(blurred)]


def log_energy(band: Plane, mask: Mask) -> float:
    """Natural log of a band's mean energy in a region, of grey levels squared."""
    return float(np.log(np.mean(band[mask] ** 2) + 1e-3))


def noise_level(plane: Plane, mask: Mask) -> float:
    """Deviation of the noise in a region, in grey levels, after Immerkær (1996), by the median."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    filtered = np.abs(cv2.filter2D(plane, cv2.CV_32F, kernel)[mask])
    return float(1.4826 * np.median(filtered[:: max(1, len(filtered) // _MOST_RANKED)]) / 6.0)


def _slope(plane: Plane) -> Plane:
    across = cv2.Sobel(plane, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    down = cv2.Sobel(plane, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _is_ridge(slope: Plane) -> NDArray[np.bool_]:
    """Where the slope is as steep as anywhere beside it across the edge, or nearly."""
    highest = cv2.dilate(slope, np.ones((3, 3), np.uint8))
    return np.asarray(slope >= 0.95 * highest)


def _blurred(plane: Plane, sigma_px: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma_px), np.float32)
