"""Shares and AUROCs with intervals that respect what pictures and clips were cut from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.tracing.grouping import LEAST_LOG_ODDS
from eval.bootstrap import bootstrap_interval, central_95, times_drawn
from eval.metrics import auc

_N_DRAWS = 1000

Right = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number with its 95 % interval.

    Attributes:
        value: the figure.
        low, high: its interval, drawn over groups.
        n: trials.
        n_groups: source files, speakers or generators that were drawn.
    """

    value: float
    low: float
    high: float
    n: int
    n_groups: int

    def __str__(self) -> str:
        return (
            f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] "
            f"(n={self.n}, {self.n_groups} groups)"
        )


def share(right: Sequence[bool] | Right, groups: Sequence[str]) -> Figure:
    """Share of trials that are right."""
    hit = np.asarray(right, np.float64)

    def of(weights: NDArray[np.float64]) -> float:
        total = float(weights.sum())
        return float(weights @ hit) / total if total else np.nan

    return _drawn(of, groups)


def balanced_share(
    right: Sequence[bool] | Right, classes: Sequence[str], groups: Sequence[str]
) -> Figure:
    """Mean over classes of the share that is right; a draw's absent classes do not count in it."""
    hit = np.asarray(right, np.float64)
    members = [np.asarray(classes) == name for name in sorted(set(classes))]

    def of(weights: NDArray[np.float64]) -> float:
        shares = [
            float(weights[own] @ hit[own]) / float(weights[own].sum())
            for own in members
            if weights[own].sum() > 0
        ]
        return float(np.mean(shares)) if shares else np.nan

    return _drawn(of, groups)


def separation(
    is_positive: Sequence[bool], scores: Sequence[float], groups: Sequence[str]
) -> Figure:
    """AUROC, with the interval of `bootstrap_interval`."""
    labels = np.asarray(is_positive, int)
    low, high = bootstrap_interval(auc, labels, scores, list(groups), n=_N_DRAWS)
    value = auc(labels.astype(bool), np.asarray(scores, np.float64))
    return Figure(value=value, low=low, high=high, n=len(labels), n_groups=len(set(groups)))


def pair_lines(
    same: NDArray[np.bool_], odds: NDArray[np.float64], groups: Sequence[str], indent: str
) -> Iterator[str]:
    """What pairwise log-odds are worth, in ranking and at the odds that files are grouped at."""
    grouped, of = odds > LEAST_LOG_ODDS, np.asarray(groups)
    yield f"{indent}AUROC {separation(same.tolist(), odds.tolist(), groups)}"
    yield f"{indent}one source, odds enough to group   {share(grouped[same], of[same].tolist())}"
    yield f"{indent}two sources, odds enough to group  {share(grouped[~same], of[~same].tolist())}"


def _drawn(statistic: Callable[[NDArray[np.float64]], float], groups: Sequence[str]) -> Figure:
    """Cluster bootstrap (Efron & Tibshirani 1993): groups drawn with replacement, whole."""
    names, of = np.unique(np.asarray(groups), return_inverse=True)
    drawn = times_drawn(len(names), _N_DRAWS, 0)
    draws = np.array([statistic(times[of].astype(np.float64)) for times in drawn])
    interval = central_95(draws)
    low, high = interval if interval is not None else (np.nan, np.nan)
    return Figure(
        value=statistic(np.ones(len(of))), low=low, high=high, n=len(of), n_groups=len(names)
    )
