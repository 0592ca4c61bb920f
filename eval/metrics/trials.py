"""What every metric takes: one label and one score a trial, checked at one door."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def check_trials(labels: ArrayLike, scores: ArrayLike) -> tuple[Bools, Floats]:
    """Labels as booleans (True = fake) and scores as float64.

    Args:
        labels: (N,) zeros and ones, 1 = fake.
        scores: (N,) higher = more fake; infinities are allowed, NaN is not.

    Raises:
        ValueError: lengths differ, a score is NaN, a label is not 0 or 1, or a class is absent.
    """
    label_array = np.asarray(labels)
    score_array = np.asarray(scores, dtype=np.float64)
    if label_array.ndim != 1 or label_array.shape != score_array.shape:
        raise ValueError(f"want one label a score, got {label_array.shape} {score_array.shape}")
    if not np.isin(label_array, (0, 1)).all():
        raise ValueError("labels must be 0 (real) or 1 (fake)")
    if np.isnan(score_array).any():
        raise ValueError("a score is NaN; leave unjudged trials out and report coverage")
    is_fake = label_array.astype(bool)
    if is_fake.all() or not is_fake.any():
        raise ValueError("needs trials of both classes, real and fake")
    return is_fake, score_array


def split_classes(labels: ArrayLike, scores: ArrayLike) -> tuple[Floats, Floats]:
    """Scores of the fake and of the real trials, each in the given order."""
    is_fake, score_array = check_trials(labels, scores)
    return score_array[is_fake], score_array[~is_fake]
