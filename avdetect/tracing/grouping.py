"""Which of several files come from one source: pairwise log-odds, then average linkage."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

LEAST_LOG_ODDS = math.log(3.0)


def same_source_log_odds(
    similarities: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Calibrated log-odds that two files share a source.

    Args:
        similarities: (..., K) measures of likeness.
        weights: (K + 1,) of a logistic regression, the constant last.

    Returns:
        (...) natural log-odds; above 0 favours one source.
    """
    return np.asarray(similarities @ weights[:-1] + weights[-1])


def probability(log_odds: float) -> float:
    """Logistic function, without overflow."""
    return 1.0 / (1.0 + math.exp(-log_odds)) if log_odds >= 0 else 1.0 - probability(-log_odds)


def group(log_odds: NDArray[np.float64]) -> list[tuple[int, ...]]:
    """Agglomerate by average linkage while the mean log-odds between two groups are high enough.

    The odds are fitted with as many pairs of one source as of two; among an analyst's files those
    of one source are fewer, hence `LEAST_LOG_ODDS` and not 0.

    Args:
        log_odds: (N, N) symmetric; the diagonal is not read.

    Returns:
        Groups of indices, each sorted, in the order of their first member; singles included.
    """
    groups: list[tuple[int, ...]] = [(index,) for index in range(len(log_odds))]
    while len(groups) > 1:
        pairs = [
            (float(log_odds[np.ix_(groups[i], groups[j])].mean()), i, j)
            for i in range(len(groups))
            for j in range(i + 1, len(groups))
        ]
        best, i, j = max(pairs, key=lambda pair: (pair[0], -pair[1], -pair[2]))
        if best <= LEAST_LOG_ODDS:
            break
        merged = tuple(sorted(groups[i] + groups[j]))
        groups = [g for k, g in enumerate(groups) if k not in (i, j)] + [merged]
    return sorted(groups)
