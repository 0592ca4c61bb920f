"""Intervals that respect whose voice or face it is: trials of one person are not independent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
    is_fake, values = check_trials(labels, scores)
    names, group_of = np.unique(np.asarray(groups), return_inverse=True)
    if group_of.shape != values.shape:
        raise ValueError(f"want one group a trial, got {group_of.size} for {values.size}")
    if names.size < 2:
        raise ValueError("an interval needs at least two speakers or identities")
    members = np.split(np.argsort(group_of, kind="stable"), np.cumsum(np.bincount(group_of))[:-1])
    rng = np.random.default_rng(seed)
    figures = []
    for _ in range(n):
        drawn = np.concatenate([members[k] for k in rng.integers(0, names.size, names.size)])
        drawn_fake = is_fake[drawn]
        if drawn_fake.any() and not drawn_fake.all():
            figures.append(metric(drawn_fake, values[drawn]))
    if not figures:
        raise ValueError("no draw held both classes: too few speakers or identities")
    low, high = np.quantile(figures, (0.025, 0.975))
    return float(low), float(high)
