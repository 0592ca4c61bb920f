"""What every metric takes: one label and one score a trial, checked at one door."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]


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
    if label_array.dtype != np.bool_ and not np.isin(label_array, (0, 1)).all():
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


def mean_by_clip(
    labels: ArrayLike, scores: ArrayLike, clips: Sequence[str]
) -> tuple[Bools, Floats]:
    """One trial a clip from one a frame: the mean of its scores (DeepfakeBench, Yan et al. 2023).

    Args:
        labels: (N,) 1 = fake.
        scores: (N,) of frames or windows, higher = more fake.
        clips: (N,) which clip each belongs to.

    Raises:
        ValueError: as `check_trials`, or a clip holds frames of both classes.
    """
    is_fake, values = check_trials(labels, scores)
    names, clip_of = np.unique(np.asarray(clips), return_inverse=True)
    if clip_of.shape != values.shape:
        raise ValueError(f"want one clip a score, got {clip_of.size} for {values.size}")
    n_frames = np.bincount(clip_of)
    n_fake = np.bincount(clip_of, weights=is_fake)
    mixed = (n_fake > 0) & (n_fake < n_frames)
    if mixed.any():
        raise ValueError(f"clip {names[mixed.argmax()]} holds frames of both classes")
    return n_fake > 0, np.bincount(clip_of, weights=values) / n_frames
