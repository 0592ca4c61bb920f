"""Fit late fusion: one logistic regression per set of branches, weights never negative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from avdetect.fusion.late import pattern_name

# Which label a branch can see; a set of branches is asked only for fakes that one of them can see.
SEES = {"voice_clone": "audio_fake", "visual_forgery": "video_fake", "lip_sync": "out_of_sync"}
_RIDGE = 0.02  # toward a plain sum of LLRs, which is right if branches are independent


def fit_patterns(
    fake_llrs: Sequence[Mapping[str, float]], labels: Sequence[Mapping[str, int]]
) -> dict[str, NDArray[np.float64]]:
    """Weights and offset for every set of two or more branches.

    Args:
        fake_llrs: per sample, branch -> calibrated LLR.
        labels: per sample, label name -> 0 or 1.

    Returns:
        Pattern name -> (n + 1,) weights in the order of sorted branch names, then the offset.
    """
    fitted = {}
    branches = sorted(SEES)
    for size in (2, 3):
        for chosen in combinations(branches, size):
            rows = [i for i, llr in enumerate(fake_llrs) if set(chosen) <= set(llr)]
            x = np.array([[fake_llrs[i][name] for name in chosen] for i in rows])
            y = np.array([max(labels[i][SEES[name]] for name in chosen) for i in rows])
            sign, share = _signs_and_shares(y)
            fitted[pattern_name(tuple(chosen))] = fit_weights(x, sign, share, _RIDGE)
    return fitted


def fit_weights(
    llrs: NDArray[np.float64],
    sign: NDArray[np.float64],
    share: NDArray[np.float64],
    ridge: float,
) -> NDArray[np.float64]:
    """Logistic regression of LLRs, weights never negative and drawn toward 1.

    Args:
        llrs: (N, B) of the branches, 0 for an absent one.
        sign: (N,) +1 for fake, -1 for real.
        share: (N,) what a sample counts; they sum to 1.
        ridge: price of a weight's squared distance from 1.

    Returns:
        (B + 1,) weights, then the offset.
    """

    def loss(vector: NDArray[np.float64]) -> float:
        margin = sign * (llrs @ vector[:-1] + vector[-1])
        drawn = ridge * float(np.square(vector[:-1] - 1.0).sum())
        return float((share * np.logaddexp(0.0, -margin)).sum()) + drawn

    start = np.append(np.ones(llrs.shape[1]), 0.0)
    bounds = [(0.0, None)] * llrs.shape[1] + [(None, None)]
    return np.asarray(minimize(loss, start, bounds=bounds, method="L-BFGS-B").x, np.float64)


def _signs_and_shares(
    labels: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """+1 or -1 by label; both classes count alike."""
    share = np.where(labels == 1, 0.5 / max(labels.sum(), 1), 0.5 / max((1 - labels).sum(), 1))
    return np.where(labels == 1, 1.0, -1.0), share
