"""When a source is named, and when it is not."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.tracing.naming import Limits, name_source, rank, softmax

LIMITS = Limits(most_novelty=1.5, least_share=0.5)


def candidates(*logits: float):
    names = ["one", "two", "three", "four"][: len(logits)]
    return rank(names, np.array(logits, np.float32), str.upper)


def test_clear_source_is_named():
    named = name_source(candidates(0.0, 3.0, 0.0), 1.0, LIMITS)
    assert (named.source, named.reason) == ("two", None)
    assert named.candidates[0].probability == pytest.approx(0.909, abs=0.001)


def test_file_unlike_all_is_unknown_however_clear_the_nearest():
    named = name_source(candidates(0.0, 9.0), 1.6, LIMITS)
    assert named.source == "unknown"
    assert "unlike every known source; the nearest is TWO" in str(named.reason)


def test_file_between_two_sources_is_unknown():
    named = name_source(candidates(1.0, 1.0, 0.9), 1.0, LIMITS)
    assert named.source == "unknown"
    assert "several known sources fit alike" in str(named.reason)


def test_three_likeliest_are_given_in_order():
    assert [c.source for c in candidates(0.0, 2.0, 1.0, -1.0)] == ["two", "three", "one"]


def test_shares_sum_to_one_for_huge_logits():
    assert softmax(np.array([1e4, 1e4], np.float32)).tolist() == [0.5, 0.5]
