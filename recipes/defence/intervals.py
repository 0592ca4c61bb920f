"""An interval of a mean over people, each of whom brings one value."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_N_DRAWS = 2000


def mean_interval(values: NDArray[np.float64], seed: int = 0) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the mean (Efron & Tibshirani 1993); (N,) values."""
    rng = np.random.default_rng(seed)
    means = rng.choice(values, (_N_DRAWS, len(values))).mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def mean_figure(values: NDArray[np.float64]) -> dict[str, Any]:
    """Count, mean and its 95 % interval, as the recipe's figures hold them; (N,) one a person."""
    low, high = mean_interval(values)
    return {
        "n": len(values),
        "mean": round(float(values.mean()), 3),
        "mean_95": [round(low, 3), round(high, 3)],
    }
