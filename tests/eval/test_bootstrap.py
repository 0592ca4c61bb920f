from __future__ import annotations

import math

import numpy as np
import pytest

from eval.bootstrap import auc_draws, bootstrap_interval, central_95
from eval.metrics import auc

TRUE_AUC = 0.5 * math.erfc(-0.5)  # P(N(1, 1) > N(0, 1))


def grouped_trials(seed: int, n_groups: int = 40, per_group: int = 5, spread: float = 0.0):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), per_group)
    labels = np.repeat(np.arange(n_groups) % 2, per_group)
    shared = np.repeat(rng.normal(0.0, spread, n_groups), per_group)
    noise = rng.normal(0.0, math.sqrt(1.0 - spread**2), labels.size)
    return labels, labels + shared + noise, groups.astype(str)


def coverage(spread: float, *, by_group: bool) -> float:
    covered = 0
    for seed in range(40):
        labels, scores, groups = grouped_trials(seed, spread=spread)
        units = groups if by_group else np.arange(labels.size).astype(str)
        low, high = bootstrap_interval(auc, labels, scores, units, n=200)
        covered += low <= TRUE_AUC <= high
    return covered / 40


def test_interval_covers_the_truth_about_as_often_as_it_says():
    assert coverage(0.7, by_group=True) >= 0.85


def test_trials_of_one_speaker_are_not_counted_as_independent():
    assert coverage(0.9, by_group=False) < coverage(0.9, by_group=True)


def test_same_seed_same_interval_and_other_seed_another():
    labels, scores, groups = grouped_trials(0)
    first = bootstrap_interval(auc, labels, scores, groups, n=50, seed=1)
    assert first == bootstrap_interval(auc, labels, scores, groups, n=50, seed=1)
    assert first != bootstrap_interval(auc, labels, scores, groups, n=50, seed=2)


def test_draws_with_one_class_are_skipped():
    low, high = bootstrap_interval(auc, [0, 0, 1, 1], [0, 1, 2, 3], ["a", "a", "b", "b"], n=100)
    assert (low, high) == (1.0, 1.0)


def test_one_speaker_gives_no_interval():
    with pytest.raises(ValueError, match="two speakers"):
        bootstrap_interval(auc, [0, 1], [0, 1], ["a", "a"])


def test_auc_draws_are_those_of_the_plain_bootstrap():
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 2, 60)
    scores = np.round(labels + rng.normal(0, 1, 60), 1)  # with ties
    scores[3] = -np.inf
    groups = rng.integers(0, 9, 60).astype(str)
    plain = bootstrap_interval(auc, labels, scores, groups, n=200)
    assert central_95(auc_draws(labels, scores, groups, n=200)) == pytest.approx(plain)


def test_draws_of_one_class_are_no_number():
    drawn = auc_draws([1, 1, 0], [2.0, 3.0, 1.0], ["a", "a", "b"], n=50)
    assert np.isnan(drawn).any()
    assert np.nanmin(drawn) == 1.0
    assert central_95(np.full(3, np.nan)) is None
