"""Means and deviations over time, weighted by how much of each step is usable."""

from __future__ import annotations

import torch
from torch import Tensor

STEPS_PER_ROW = 10  # 50 ms each: rows of half a second
_LEAST_WEIGHT = 1e-6
_LEAST_VARIANCE = 1e-5


def weighted_statistics(frames: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted mean and standard deviation over the last axis.

    Args:
        frames: (B, D, T).
        weights: (B, T) >= 0, or (B, D, T) for each feature its own; where all are 0 every step
            counts alike.

    Returns:
        Two tensors (B, D).
    """
    share = _shares(_per_feature(weights))
    mean = (frames * share).sum(-1)
    variance = ((frames - mean[..., None]).square() * share).sum(-1)
    return mean, (variance + _LEAST_VARIANCE).sqrt()


def row_means(frames: Tensor, weights: Tensor, steps_per_row: int) -> Tensor:
    """Weighted means over consecutive rows.

    Args:
        frames: (B, D, T), T a multiple of ``steps_per_row``.
        weights: (B, T) or (B, D, T) >= 0; a row whose weights are all 0 takes its plain mean.
        steps_per_row: steps in a row.

    Returns:
        (B, T / steps_per_row, D).
    """
    rows = frames.reshape(*frames.shape[:2], -1, steps_per_row)
    by_row = _per_feature(weights)
    share = _shares(by_row.reshape(*by_row.shape[:2], -1, steps_per_row))
    return (rows * share).sum(-1).transpose(1, 2)


def row_weights(weights: Tensor, steps_per_row: int) -> Tensor:
    """Mean weight of each row; (B, T) to (B, T / steps_per_row)."""
    return weights.reshape(len(weights), -1, steps_per_row).mean(-1)


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean over the last axis; (B, L) and (B, L) to (B,)."""
    return (values * _shares(weights)).sum(-1)


def _per_feature(weights: Tensor) -> Tensor:
    return weights if weights.dim() == 3 else weights[:, None]


def _shares(weights: Tensor) -> Tensor:
    total = weights.sum(-1, keepdim=True)
    usable = torch.where(total > _LEAST_WEIGHT, weights, torch.ones_like(weights))
    return usable / usable.sum(-1, keepdim=True)
