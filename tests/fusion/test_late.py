"""Late fusion is a weighted sum; a lone branch passes through."""

import pytest

from avdetect.errors import CheckpointError
from avdetect.fusion.late import LateFusion

FUSION = LateFusion({"lip_sync+voice_clone": (0.5, 1.0, -0.25)})


def test_a_lone_branch_is_passed_on_unchanged():
    assert FUSION.fake_llr({"visual_forgery": 1.7}) == 1.7


def test_weights_follow_the_sorted_names_whatever_the_order_given():
    expected = 0.5 * 2.0 + 1.0 * -1.0 - 0.25
    assert FUSION.fake_llr({"voice_clone": -1.0, "lip_sync": 2.0}) == pytest.approx(expected)


def test_an_unknown_set_of_branches_is_an_error_not_a_guess():
    with pytest.raises(CheckpointError, match="visual_forgery"):
        FUSION.fake_llr({"voice_clone": 0.0, "visual_forgery": 0.0})
