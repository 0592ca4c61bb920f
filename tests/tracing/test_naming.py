"""When a source is named, and when it is not."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.tracing.naming import Limits, name_source, rank, softmax

LIMITS = Limits(most_novelty=1.5, most_novelty_few=3.0, least_share=0.5)


def name(of, novelty: float, n_looked_at: int = 9):
    is_novel = LIMITS.is_novel(novelty, n_looked_at)
    return name_source(of, is_novel=is_novel, least_share=LIMITS.least_share)


def candidates(*logits: float):
    names = ["one", "two", "three", "four"][: len(logits)]
    return rank(names, np.array(logits, np.float32), str.upper)


def test_clear_source_is_named():
    named = name(candidates(0.0, 3.0, 0.0), 1.0)
    assert (named.source, named.reason) == ("two", None)
    assert named.candidates[0].probability == pytest.approx(0.909, abs=0.001)


def test_file_unlike_all_is_unknown_however_clear_the_nearest():
    named = name(candidates(0.0, 9.0), 1.6)
    assert named.source == "unknown"
    assert "unlike every known source; the nearest is TWO" in str(named.reason)


def test_one_block_may_stray_farther_than_many():
    assert name(candidates(0.0, 9.0), 2.0, n_looked_at=1).source == "two"
    assert name(candidates(0.0, 9.0), 2.0, n_looked_at=9).source == "unknown"


def test_file_between_two_sources_is_unknown():
    named = name(candidates(1.0, 1.0, 0.9), 1.0)
    assert named.source == "unknown"
    assert "several known sources fit alike" in str(named.reason)


def test_three_likeliest_are_given_in_order():
    assert [c.source for c in candidates(0.0, 2.0, 1.0, -1.0)] == ["two", "three", "one"]


def test_shares_sum_to_one_for_huge_logits():
    assert softmax(np.array([1e4, 1e4], np.float32)).tolist() == [0.5, 0.5]
