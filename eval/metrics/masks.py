"""How well a predicted forgery mask covers the true one: IoU, IINC, pixel accuracy and AUC."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from eval.metrics.ranking import auc
from eval.metrics.trials import Bools


def mask_iou(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Intersection over union (Jaccard 1912), 1 is perfect.

    Two empty masks agree, so that is 1; one empty mask against a filled one is 0.

    Args:
        truth: (H, W) bool or 0/1, true where the picture was forged.
        predicted: (H, W) the same, thresholded by the caller.
    """
    true, ours = _masks(truth, predicted)
    union = np.count_nonzero(true | ours)
    return np.count_nonzero(true & ours) / union if union else 1.0


def iinc(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Inverse intersection non-containment (Dang et al. 2020, CVPR, equation 7), 0 is perfect.

    ``(2 - I/|predicted| - I/|truth|) / (3 - U)`` with areas as shares of the picture, between 0
    and 1: unlike IoU it asks how much of *each* mask lies outside the other. As in the paper, two
    empty masks give 0, and one empty mask ``1 / (3 - U)``.

    Args:
        truth: (H, W) bool or 0/1, true where the picture was forged.
        predicted: (H, W) the same, thresholded by the caller.
    """
    true, ours = _masks(truth, predicted)
    if not true.any() and not ours.any():
        return 0.0
    scale = 3.0 - float(np.mean(true | ours))
    if not true.any() or not ours.any():
        return 1.0 / scale
    common = np.count_nonzero(true & ours)
    outside = 2.0 - common / np.count_nonzero(ours) - common / np.count_nonzero(true)
    return float(outside / scale)


def pixel_accuracy(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Pixel-wise binary classification accuracy, PBCA (Dang et al. 2020, CVPR), 1 is perfect.

    The share of pixels that are right, empty masks included; a small forgery that is missed whole
    costs little here, so read it beside IoU or IINC.

    Args:
        truth: (H, W) bool or 0/1, true where the picture was forged.
        predicted: (H, W) the same, thresholded by the caller.
    """
    true, ours = _masks(truth, predicted)
    return float(np.mean(true == ours))


def pixel_auc(truth: ArrayLike, levels: ArrayLike) -> float:
    """Area under the ROC of one picture's pixels: no threshold, 0.5 is chance, 1 is perfect.

    The probability that a forged pixel stands above a pixel left alone, ties counting one half.

    Args:
        truth: (H, W) bool or 0/1, true where the picture was forged; neither empty nor full.
        levels: (H, W) higher = more surely forged, any scale.

    Raises:
        ValueError: the shapes differ, or the truth is empty or full: nothing is ranked there.
    """
    true, values = np.asarray(truth), np.asarray(levels, np.float64)
    if true.ndim != 2 or true.shape != values.shape:
        raise ValueError(f"want a mask and a map (H, W), got {true.shape} and {values.shape}")
    return auc(true.ravel(), values.ravel())


def _masks(truth: ArrayLike, predicted: ArrayLike) -> tuple[Bools, Bools]:
    masks = np.asarray(truth), np.asarray(predicted)
    if masks[0].ndim != 2 or masks[0].shape != masks[1].shape or not masks[0].size:
        raise ValueError(f"want two masks (H, W), got {masks[0].shape} and {masks[1].shape}")
    if not all(np.isin(mask, (0, 1)).all() for mask in masks):
        raise ValueError("a mask holds 0 and 1 only; threshold a map of probabilities first")
    return masks[0].astype(bool), masks[1].astype(bool)
