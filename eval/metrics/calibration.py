"""Whether an LLR means what it says: Cllr, minCllr, reliability, ECE."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from eval.metrics.ranking import TieCompat
from eval.metrics.trials import Floats, check_trials, split_classes

_LARGEST_EXP = math.log(np.finfo(np.float64).max)


def cllr(labels: ArrayLike, llrs: ArrayLike, *, compat: TieCompat | None = None) -> float:
    """Cost of log-likelihood ratios in bits (Brummer & du Preez 2006); 1 is a silent detector.

    Args:
        labels: (N,) 1 = fake.
        llrs: (N,) natural-log likelihood ratios, > 0 favours fake.
        compat: ``asvspoof5`` gives infinity where the official code's ``exp`` overflows.
    """
    fake, real = split_classes(labels, llrs)
    if compat == "asvspoof5" and max((-fake).max(), real.max()) > _LARGEST_EXP:
        return math.inf
    bits_fake, bits_real = np.logaddexp(0.0, -fake).mean(), np.logaddexp(0.0, real).mean()
    return float((bits_fake + bits_real) / (2.0 * math.log(2.0)))


def min_cllr(labels: ArrayLike, scores: ArrayLike) -> float:
    """Cllr after the best monotone recalibration: what ranking alone costs, in bits.

    Pool adjacent violators (Brummer & du Preez 2006, section 8); tied scores stay tied.
    """
    is_fake, values = check_trials(labels, scores)
    posterior = pav(is_fake, values)
    n_fake = int(is_fake.sum())
    with np.errstate(divide="ignore"):
        log_odds = np.log(posterior) - np.log1p(-posterior)
    return cllr(is_fake, log_odds - math.log(n_fake / (is_fake.size - n_fake)))


def pav(labels: ArrayLike, scores: ArrayLike) -> Floats:
    """Share of fakes as the best non-decreasing function of the score (least squares).

    Pool adjacent violators (Ayer et al. 1955).

    Returns:
        (N,) fitted share of fakes at each trial, in the given order.
    """
    is_fake, values = check_trials(labels, scores)
    _, tie_of, sizes = np.unique(values, return_inverse=True, return_counts=True)
    fakes, n_ties = np.bincount(tie_of, weights=is_fake), np.ones_like(sizes)
    while True:
        shares = fakes / sizes
        # A run of shares that do not rise ends up in one block, whatever the order of pooling.
        starts = np.flatnonzero(np.append(True, shares[1:] > shares[:-1]))
        if starts.size == shares.size:
            return np.asarray(np.repeat(shares, n_ties)[tie_of], np.float64)
        fakes, sizes, n_ties = (np.add.reduceat(of, starts) for of in (fakes, sizes, n_ties))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Bins of a reliability diagram; empty bins are left out.

    Attributes:
        claimed: (K,) mean claimed probability of fake in each bin.
        observed: (K,) share of fakes in it, at the stated prior.
        weight: (K,) share of all trials in it, at the stated prior; sums to 1.
    """

    claimed: Floats
    observed: Floats
    weight: Floats


def reliability(
    labels: ArrayLike, llrs: ArrayLike, *, prior_fake: float = 0.5, n_bins: int = 15
) -> Reliability:
    """Claimed against observed probability of fake (DeGroot & Fienberg 1983).

    The mix of classes in a test set is an accident, so trials are weighted to ``prior_fake``, the
    prior that the claimed probabilities assume. Bins have equal width over [0, 1].
    """
    is_fake, values = check_trials(labels, llrs)
    claimed = _posterior(values, prior_fake)
    weight = np.where(is_fake, prior_fake / is_fake.sum(), (1.0 - prior_fake) / (~is_fake).sum())
    bin_of = np.minimum((claimed * n_bins).astype(int), n_bins - 1)
    mass: Floats = np.bincount(bin_of, weights=weight, minlength=n_bins).astype(np.float64)
    filled = mass > 0.0
    claimed_mass = np.bincount(bin_of, weights=weight * claimed, minlength=n_bins)
    fake_mass = np.bincount(bin_of, weights=weight * is_fake, minlength=n_bins)
    return Reliability(
        claimed=claimed_mass[filled] / mass[filled],
        observed=fake_mass[filled] / mass[filled],
        weight=mass[filled],
    )


def ece(labels: ArrayLike, llrs: ArrayLike, *, prior_fake: float = 0.5, n_bins: int = 15) -> float:
    """Expected calibration error (Naeini et al. 2015; Guo et al. 2017, 15 bins of equal width).

    Of the probability of fake that the LLRs claim at ``prior_fake``, classes weighted to it.
    """
    bins = reliability(labels, llrs, prior_fake=prior_fake, n_bins=n_bins)
    return float(np.sum(bins.weight * np.abs(bins.claimed - bins.observed)))


def _posterior(llrs: Floats, prior_fake: float) -> Floats:
    log_odds = llrs + math.log(prior_fake / (1.0 - prior_fake))
    return np.asarray(np.exp(-np.logaddexp(0.0, -log_odds)), np.float64)
