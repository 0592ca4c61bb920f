"""A cue's features to LLRs: balanced, penalised logistic regression, and the same fold by fold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from avdetect.cues.worth import LinearLlr
from eval.cues.material import equal_weights
from eval.metrics import cllr

_RIDGE = 0.02  # on standardised features, in units of the mean loss: a weak cue stays near silent
_LEAST_OF_A_CLASS = 8


def fit_linear(features: ArrayLike, labels: ArrayLike) -> LinearLlr:
    """Features to log-likelihood ratios at equal priors.

    Args:
        features: (N, K) finite.
        labels: (N,) 1 = fake; both must occur.

    Raises:
        ValueError: a class is absent or a feature is not finite.
    """
    x, y = np.asarray(features, np.float64), np.asarray(labels, np.int64)
    n_fake, n_real = int((y == 1).sum()), int((y == 0).sum())
    if not (n_fake and n_real and np.isfinite(x).all()):
        raise ValueError(f"need finite features of both classes: {n_real} real, {n_fake} fake")
    centre = np.median(x, axis=0)
    spread = 1.4826 * np.median(np.abs(x - centre), axis=0)  # outliers must not set the scale
    deviation = np.maximum(np.where(spread > 0, spread, x.std(axis=0)), 1e-9)
    limit = max(math.log(min(n_real, n_fake)), math.log(2.0))
    start = LinearLlr(
        mean=centre, deviation=deviation, weights=np.zeros(x.shape[1]), offset=0.0, limit=limit
    )
    z = np.concatenate([start.standardised(x), np.ones((len(x), 1))], axis=1)
    found = minimize(
        _loss, np.zeros(z.shape[1]), args=(z, y, equal_weights(y)), jac=True, method="L-BFGS-B"
    ).x
    return LinearLlr(
        mean=centre,
        deviation=deviation,
        weights=found[:-1],
        offset=float(found[-1]),
        limit=limit,
    )


def out_of_fold(
    features: ArrayLike, labels: ArrayLike, folds: Sequence[str]
) -> NDArray[np.float64]:
    """(N,) LLR of each clip by a fit without its fold; NaN where the rest is too little to fit."""
    x, y = np.asarray(features, np.float64), np.asarray(labels, np.int64)
    names = np.asarray(folds)
    llrs = np.full(len(y), np.nan)
    for fold in dict.fromkeys(folds):
        held = names == fold
        rest = y[~held]
        if min((rest == 0).sum(), (rest == 1).sum()) < _LEAST_OF_A_CLASS:
            continue
        model = fit_linear(x[~held], rest)
        llrs[held] = [model.fake_llr(row) for row in x[held]]
    return llrs


def tempering(llrs: ArrayLike, labels: ArrayLike) -> float:
    """Factor in [0, 1] by which LLRs claim too much: the one of lowest Cllr, to a hundredth.

    A model meets other sources than it was fitted on; what it claims there is measured out of fold.

    Args:
        llrs: (N,) out of fold.
        labels: (N,) 1 = fake; both must occur.
    """
    factors = np.linspace(0.0, 1.0, 101)
    return float(min(factors, key=lambda factor: cllr(labels, factor * np.asarray(llrs))))


def tempered(model: LinearLlr, factor: float) -> LinearLlr:
    """The same ranking with every claim scaled."""
    return replace(model, weights=factor * model.weights, offset=factor * model.offset)


def _loss(
    weights: NDArray[np.float64],
    z: NDArray[np.float64],
    y: NDArray[np.int64],
    share: NDArray[np.float64],
) -> tuple[float, NDArray[np.float64]]:
    sign = np.where(y == 1, 1.0, -1.0)
    margin = sign * (z @ weights)
    penalty = _RIDGE * weights[:-1]
    loss = float(share @ np.logaddexp(0.0, -margin)) + 0.5 * float(penalty @ weights[:-1])
    slope = -(share * sign / (1.0 + np.exp(np.clip(margin, -50, 50)))) @ z
    slope[:-1] += penalty
    return loss, slope
