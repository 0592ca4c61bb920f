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
