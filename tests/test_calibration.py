"""Score to LLR to probability."""

import math

import pytest

from avdetect.calibration import Calibration, probability


def test_affine_within_the_limit():
    calibration = Calibration(scale=2.0, offset=-1.0, limit=4.0)
    assert calibration.fake_llr(1.0) == pytest.approx(1.0)


def test_the_claim_is_bounded_both_ways():
    calibration = Calibration(scale=2.0, offset=-1.0, limit=4.0)
    assert calibration.fake_llr(100.0) == 4.0
    assert calibration.fake_llr(-100.0) == -4.0


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan])
def test_a_calibration_that_would_turn_the_direction_is_refused(scale):
    with pytest.raises(ValueError, match="direction"):
        Calibration(scale=scale, offset=0.0, limit=1.0)


def test_even_prior_and_no_evidence_is_one_half():
    assert probability(0.0, 0.5) == 0.5


def test_probability_is_the_bayes_posterior():
    assert probability(math.log(9), 0.1) == pytest.approx(0.5)


def test_extreme_evidence_does_not_overflow():
    assert probability(-2000.0, 0.5) == pytest.approx(0.0)
    assert probability(2000.0, 0.5) == pytest.approx(1.0)


def test_of_unknown_fakes_no_clip_is_cleared_beyond_their_share():
    calibration = Calibration(scale=1.0, offset=0.0, limit=6.0, unknown=0.1)
    assert calibration.fake_llr(-100.0) == pytest.approx(math.log(0.1), abs=0.03)
    assert calibration.fake_llr(-100.0) > math.log(0.1)


def test_unknown_fakes_take_little_from_what_speaks_for_fake_and_keep_the_order():
    sure = Calibration(scale=1.0, offset=0.0, limit=6.0)
    open_to_more = Calibration(scale=1.0, offset=0.0, limit=6.0, unknown=0.1)
    assert open_to_more.fake_llr(0.0) == pytest.approx(0.0)
    assert 0.0 < sure.fake_llr(4.0) - open_to_more.fake_llr(4.0) < 0.11
    scores = [-5.0, -1.0, 0.0, 1.0, 5.0]
    llrs = [open_to_more.fake_llr(score) for score in scores]
    assert llrs == sorted(llrs)


@pytest.mark.parametrize("share", [-0.1, 1.0, math.nan])
def test_a_share_of_fakes_is_one(share):
    with pytest.raises(ValueError, match="share"):
        Calibration(scale=1.0, offset=0.0, limit=1.0, unknown=share)
