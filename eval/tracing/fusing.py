"""Weigh several kinds of evidence into one logit per source: a logistic regression of few numbers.

Used by the recipe for what is shipped, and by the figures fold by fold, so that no figure rests on
weights that its own pictures were used for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

KNOWN_KEPT = 0.95  # share of held-out pictures of known sources that are to be named
LEAST_SHARE = 0.5  # of the probability: what is named is likelier than all else together
_SHRINKAGE = 1e-3

Array = NDArray[np.float64]


def fit_weights(evidence: Array, truth: NDArray[np.int64], importance: Array) -> Array:
    """Weights of the kinds of evidence, none below 0, by multinomial logistic regression.

    Args:
        evidence: (N, M, K) M kinds over K sources.
        truth: (N,) index of the right source.
        importance: (N,) of each row.

    Returns:
        (M,) weights.
    """
    share = importance / importance.sum()

    def loss(weights: Array) -> float:
        logits = np.einsum("m,nmk->nk", weights, evidence)
        right = logits[np.arange(len(truth)), truth]
        return float(share @ (_log_sum(logits) - right) + _SHRINKAGE * (weights**2).sum())

    start = np.ones(evidence.shape[1])
    bounds = [(0.0, 50.0)] * len(start)
    return np.asarray(minimize(loss, start, bounds=bounds, method="L-BFGS-B").x, np.float64)


def fuse(evidence: Array, weights: Array) -> Array:
    """(N, M, K) evidence to (N, K) logits."""
    return np.asarray(np.einsum("m,nmk->nk", weights, evidence))


def fit_pair(likeness: Array, same: NDArray[np.bool_]) -> Array:
    """Logistic regression of likenesses, both classes weighed alike; the constant last.

    Args:
        likeness: (N, K).
        same: (N,) whether the pair shares a source.
    """
    importance = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum())
    sign = np.where(same, 1.0, -1.0)

    def loss(weights: Array) -> float:
        odds = likeness @ weights[:-1] + weights[-1]
        return float(
            importance @ np.logaddexp(0.0, -sign * odds) + _SHRINKAGE * (weights[:-1] ** 2).sum()
        )

    start = np.zeros(likeness.shape[1] + 1)
    return np.asarray(minimize(loss, start, method="L-BFGS-B").x, np.float64)


def _log_sum(logits: Array) -> Array:
    top = logits.max(1)
    return np.asarray(top + np.log(np.exp(logits - top[:, None]).sum(1)))
