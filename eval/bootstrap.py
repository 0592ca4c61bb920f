"""Intervals that respect whose voice or face it is: trials of one person are not independent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eval.metrics.trials import check_trials

Metric = Callable[[NDArray[np.bool_], NDArray[np.float64]], float]


def bootstrap_interval(
    metric: Metric,
    labels: ArrayLike,
    scores: ArrayLike,
    groups: Sequence[str] | NDArray[np.str_],
    *,
    n: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % percentile interval by the cluster bootstrap (Efron & Tibshirani 1993, chapter 13).

    Groups (speakers, identities) are drawn with replacement, as many as there are, each bringing
    all of its trials. Draws that hold one class only are skipped.

    Args:
        metric: of labels and scores, such as `eval.metrics.auc`.
        labels: (N,) 1 = fake.
        scores: (N,) higher = more fake.
        groups: (N,) the speaker or identity of each trial.
        n: number of draws.
        seed: same seed, same interval.

    Returns:
        The 2.5 % and 97.5 % quantiles of the metric over the draws.

    Raises:
        ValueError: as `check_trials`, or fewer than two groups, or every draw held one class only.
    """
    return bootstrap_intervals({"": metric}, labels, scores, groups, n=n, seed=seed)[""]


def bootstrap_intervals(
    metrics: Mapping[str, Metric],
    labels: ArrayLike,
    scores: ArrayLike,
    groups: Sequence[str] | NDArray[np.str_],
    *,
    n: int = 1000,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """`bootstrap_interval` of several metrics over the same draws, by name."""
    is_fake, values = check_trials(labels, scores)
    group_of = np.unique(np.asarray(groups), return_inverse=True)[1]
    if group_of.shape != values.shape:
        raise ValueError(f"want one group a trial, got {group_of.size} for {values.size}")
    n_groups = int(group_of.max()) + 1
    if n_groups < 2:
        raise ValueError("an interval needs at least two speakers or identities")
    # Sorted once here, every draw comes out sorted: cheaper than sorting in each metric.
    order = np.argsort(-values, kind="stable")
    is_fake, values, group_of = is_fake[order], values[order], group_of[order]
    rng = np.random.default_rng(seed)
    figures: dict[str, list[float]] = {name: [] for name in metrics}
    for _ in range(n):
        times_drawn = np.bincount(rng.integers(0, n_groups, n_groups), minlength=n_groups)
        drawn_fake = np.repeat(is_fake, times_drawn[group_of])
        if drawn_fake.any() and not drawn_fake.all():
            drawn_values = np.repeat(values, times_drawn[group_of])
            for name, metric in metrics.items():
                figures[name].append(metric(drawn_fake, drawn_values))
    if not all(figures.values()):
        raise ValueError("no draw held both classes: too few speakers or identities")
    return {name: _central_95(drawn) for name, drawn in figures.items()}


def _central_95(figures: list[float]) -> tuple[float, float]:
    low, high = np.quantile(figures, (0.025, 0.975))
    return float(low), float(high)
