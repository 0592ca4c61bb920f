"""Held-out scores to an affine calibration: class-balanced logistic regression."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from avdetect.calibration import Calibration

# Until `recipes.fusion.calibrate` fits a branch on folds kept for it: as good as saying nothing.
PROVISIONAL = Calibration(scale=1e-3, offset=0.0, limit=math.log(2.0))
# Of fakes to come: by generators so unlike all known ones that they score as genuine clips do. The
# largest share that costs held-out folds of voices nothing: recipes.voice_clone.unknown_share.
UNKNOWN_FAKES = 0.1
_RIDGE = 1e-3  # keeps separable scores from an infinite slope; in units of one clip of each class
_LEAST_SCALE = 1e-3
_STEPS = 100


def fit_calibration(
    scores: ArrayLike,
    labels: ArrayLike,
    clips: Sequence[str] | None = None,
    *,
    unknown: float = 0.0,
) -> Calibration:
    """Affine map to log-likelihood ratios at equal priors (Brummer & du Preez 2006).

    Minimises the class-balanced logistic loss by damped Newton steps on standardised scores. The
    claim is bounded by the number of clips of the rarer class.

    Args:
        scores: (N,) raw scores, higher = more fake; not those of clips that were trained on.
        labels: (N,) 1 = fake, 0 = real; both must occur.
        clips: N names where a clip is scored in several versions: it is still one clip, and
            supports no longer odds. None: every score is of another one.
        unknown: share of fakes to come that is taken to score as genuine clips do, see
            `Calibration`; scale and offset are those of the fakes at hand.

    Returns:
        A calibration whose ``scale`` is > 0: scores that point the wrong way become almost flat.

    Raises:
        ValueError: if a class is absent or a score is not finite.
    """
    x, y = np.asarray(scores, np.float64), np.asarray(labels, np.float64)
    n_fake, n_real = int((y == 1).sum()), int((y == 0).sum())
    if not (n_fake and n_real and np.isfinite(x).all()):
        raise ValueError(f"need finite scores of both classes, got {n_real} real, {n_fake} fake")
    centre, spread = float(x.mean()), max(float(x.std()), 1e-9)
    weights = np.where(y == 1, 0.5 / n_fake, 0.5 / n_real)
    slope, offset = _balanced_logistic((x - centre) / spread, y, weights)
    slope = max(slope, _LEAST_SCALE)
    return Calibration(
        scale=slope / spread,
        offset=offset - slope * centre / spread,
        limit=_limit(y, range(len(y)) if clips is None else clips),
        unknown=unknown,
    )


def cross_fitted_llrs(
    scores: ArrayLike, labels: ArrayLike, groups: Sequence[str], n_folds: int = 5
) -> NDArray[np.float64]:
    """LLR of each clip by a calibration fitted without its group, for honest figures.

    Args:
        scores: (N,) raw scores.
        labels: (N,) 1 = fake, 0 = real.
        groups: N names (speakers, identities); a group never stands on both sides.
        n_folds: parts the groups are dealt into, in order of their first clip.

    Returns:
        (N,) natural-log likelihood ratios.
    """
    x, y = np.asarray(scores, np.float64), np.asarray(labels, np.int64)
    order = {name: index for index, name in enumerate(dict.fromkeys(groups))}
    fold = np.array([order[name] % n_folds for name in groups])
    llrs = np.zeros(len(x))
    for k in range(n_folds):
        if not (fold == k).any():
            continue
        calibration = fit_calibration(x[fold != k], y[fold != k])
        llrs[fold == k] = [calibration.fake_llr(float(score)) for score in x[fold == k]]
    return llrs


def _limit(labels: NDArray[np.float64], clips: Sequence[object]) -> float:
    """Logarithm of the clips of the rarer class, of two at least."""
    seen = set(zip(clips, labels.tolist(), strict=True))
    n_fake = sum(label == 1 for _, label in seen)
    return math.log(max(min(n_fake, len(seen) - n_fake), 2))


def _balanced_logistic(
    x: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    design = np.stack([x, np.ones_like(x)], 1)
    ridge = np.diag([_RIDGE, 0.0])
    theta = np.array([1.0, 0.0])
    loss = _loss(design, y, weights, theta)
    for _ in range(_STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(design @ theta, -50, 50)))
        gradient = design.T @ (weights * (p - y)) + ridge @ theta
        hessian = (design * (weights * p * (1 - p))[:, None]).T @ design + ridge
        step = np.linalg.solve(hessian + 1e-12 * np.eye(2), gradient)
        size = 1.0
        while size > 1e-6 and _loss(design, y, weights, theta - size * step) > loss:
            size /= 2
        theta = theta - size * step
        new_loss = _loss(design, y, weights, theta)
        if abs(loss - new_loss) < 1e-12:
            break
        loss = new_loss
    return float(theta[0]), float(theta[1])


def _loss(
    design: NDArray[np.float64],
    y: NDArray[np.float64],
    weights: NDArray[np.float64],
    theta: NDArray[np.float64],
) -> float:
    logits = design @ theta
    return float(
        (weights * np.logaddexp(0.0, np.where(y == 1, -logits, logits))).sum()
        + 0.5 * _RIDGE * theta[0] ** 2
    )
