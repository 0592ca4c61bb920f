"""Intervals that respect whose voice or face it is: trials of one person are not independent."""

from __future__ import annotations

import functools
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
    figures: dict[str, list[float]] = {name: [] for name in metrics}
    for times_of_group in times_drawn(n_groups, n, seed):
        times = times_of_group[group_of]
        drawn_fake = np.repeat(is_fake, times)
        if drawn_fake.any() and not drawn_fake.all():
            drawn_values = np.repeat(values, times)
            for name, metric in metrics.items():
                figures[name].append(metric(drawn_fake, drawn_values))
    if not all(figures.values()):
        raise ValueError("no draw held both classes: too few speakers or identities")
    return {name: _central_95(drawn) for name, drawn in figures.items()}


def paired_interval(
    metric: Metric,
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    groups: Sequence[str] | NDArray[np.str_],
    *,
    n: int = 1000,
) -> tuple[float, float]:
    """95 % interval of ``metric(second) - metric(first)`` over the same draws of groups.

    Args:
        metric: of labels and scores.
        labels: (N,) 1 = fake.
        first: (N,) scores of one detector.
        second: (N,) scores of another on the same trials.
        groups: (N,) the speaker or identity of each trial.
        n: number of draws.

    Raises:
        ValueError: as `check_trials`, or every draw held one class only.
    """
    is_fake, before = check_trials(labels, first)
    _, after = check_trials(labels, second)
    group_of = np.unique(np.asarray(groups), return_inverse=True)[1]
    found = []
    for times_of_group in times_drawn(int(group_of.max()) + 1, n, 0):
        times = times_of_group[group_of]
        drawn = np.repeat(is_fake, times)
        if drawn.any() and not drawn.all():
            found.append(
                metric(drawn, np.repeat(after, times)) - metric(drawn, np.repeat(before, times))
            )
    if not found:
        raise ValueError("no draw held both classes: too few speakers or identities")
    return _central_95(found)


def auc_draws(
    labels: ArrayLike,
    scores: ArrayLike,
    groups: Sequence[str] | NDArray[np.str_],
    *,
    n: int = 1000,
    seed: int = 0,
) -> NDArray[np.float64]:
    """AUC of every draw at once, for tables with hundreds of rows.

    The draws are those of `bootstrap_intervals`, so the same groups in the same order are drawn
    for another detector's scores: differences are paired.

    Returns:
        (n,) NaN where a draw held one class only.

    Raises:
        ValueError: as `check_trials`.
    """
    is_fake, values = check_trials(labels, scores)
    group_of = np.unique(np.asarray(groups), return_inverse=True)[1]
    order = np.argsort(values, kind="stable")
    values = values[order]
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))  # of each tie
    times = times_drawn(int(group_of.max()) + 1, n, seed)[:, group_of[order]].astype(np.float64)
    fake = np.add.reduceat(times * is_fake[order], starts, axis=1)
    real = np.add.reduceat(times * ~is_fake[order], starts, axis=1)
    below_or_half_tied = np.cumsum(real, axis=1) - real / 2.0
    pairs = fake.sum(axis=1) * real.sum(axis=1)
    won = (fake * below_or_half_tied).sum(axis=1)
    drawn: NDArray[np.float64] = np.full(n, np.nan)
    np.divide(won, pairs, out=drawn, where=pairs > 0.0)
    return drawn


def central_95(drawn: NDArray[np.float64]) -> tuple[float, float] | None:
    """The 2.5 % and 97.5 % quantiles of what is a number; None if nothing is."""
    kept = drawn[~np.isnan(drawn)]
    return _central_95(kept) if kept.size else None


@functools.lru_cache(maxsize=256)
def times_drawn(n_groups: int, n: int, seed: int) -> NDArray[np.int64]:
    """(n, n_groups) how often each draw holds each group; shared, so it cannot be written to."""
    rng = np.random.default_rng(seed)
    draws = [rng.integers(0, n_groups, n_groups) for _ in range(n)]
    times = np.stack([np.bincount(drawn, minlength=n_groups) for drawn in draws])
    times.flags.writeable = False
    return times


def _central_95(figures: list[float] | NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(figures, (0.025, 0.975))
    return float(low), float(high)
