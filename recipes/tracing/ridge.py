"""Linear classifiers in closed form: least squares to +1 and -1 with classes weighed alike.

With one target column per class this is Fisher's discriminant up to scale, shrunken by the ridge;
it is solved in the dual, because there are more features than pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from avdetect.tracing.linear import LinearHead

_LEAST_DEVIATION = 1e-3


def fit_ridge(
    features: NDArray[np.float32],
    labels: Sequence[str],
    names: Sequence[str],
    ridge: float,
    weights: NDArray[np.float64] | None = None,
) -> LinearHead:
    """Fit one score per class.

    Args:
        features: (N, D).
        labels: (N,) class of each row.
        names: the classes, in the order of the scores.
        ridge: strength of shrinkage, as a share of the mean power of the rows.
        weights: (N,) importance of each row before classes are weighed alike; None: all alike.
    """
    of = np.array([list(names).index(label) for label in labels])
    share = np.ones(len(of)) if weights is None else np.asarray(weights, np.float64)
    for index in range(len(names)):
        total = share[of == index].sum()
        if total > 0:
            share[of == index] /= total
    share /= share.sum()
    mean = share @ features
    deviation = np.sqrt(share @ (features - mean) ** 2) + _LEAST_DEVIATION
    rows = np.sqrt(share)[:, None] * ((features - mean) / deviation)
    target = np.where(of[:, None] == np.arange(len(names)), 1.0, -1.0)
    centre = share @ target
    gram = rows @ rows.T
    gram[np.diag_indices_from(gram)] += ridge * np.trace(gram) / len(gram)
    dual = np.linalg.solve(gram, np.sqrt(share)[:, None] * (target - centre))
    matrix = (rows.T @ dual) / deviation[:, None]
    return LinearHead(
        names=tuple(names),
        matrix=matrix.astype(np.float32),
        offset=(centre - mean @ matrix).astype(np.float32),
    )
