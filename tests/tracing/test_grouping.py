"""Which files share a source."""

from __future__ import annotations

import numpy as np

from avdetect.tracing.grouping import group, probability, same_source_log_odds


def odds_of(labels: str, *, inside: float = 3.0, across: float = -3.0) -> np.ndarray:
    of = np.array(list(labels))
    return np.where(of[:, None] == of[None, :], inside, across)


def test_files_of_one_source_are_grouped_and_singles_stay_alone():
    assert group(odds_of("abac")) == [(0, 2), (1,), (3,)]


def test_one_doubtful_pair_does_not_split_a_group():
    odds = odds_of("aaa")
    odds[0, 2] = odds[2, 0] = -0.5
    assert group(odds) == [(0, 1, 2)]


def test_nobody_is_grouped_at_twice_even_odds():
    assert group(np.full((3, 3), np.log(2.0))) == [(0,), (1,), (2,)]


def test_no_files_make_no_groups():
    assert group(np.zeros((0, 0))) == []


def test_odds_are_those_of_the_regression():
    odds = same_source_log_odds(np.array([[0.5, 0.2]]), np.array([2.0, -1.0, 0.3]))
    assert odds.tolist() == [2.0 * 0.5 - 0.2 + 0.3]


def test_probability_is_even_at_zero_and_does_not_overflow():
    assert probability(0.0) == 0.5
    assert probability(-1e4) == 0.0
    assert probability(1e4) == 1.0
