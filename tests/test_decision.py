"""Parts combined, prior applied, abstain band."""

import math

import pytest

from avdetect.decision import DecisionRule, combine_parts
from avdetect.types import Decision


def test_one_part_keeps_its_llr():
    assert combine_parts([1.25]) == pytest.approx(1.25)


def test_equal_parts_keep_their_llr():
    assert combine_parts([-2.0, -2.0, -2.0]) == pytest.approx(-2.0)


def test_the_worst_of_many_rules_less_the_logarithm_of_their_number():
    combined = combine_parts([8.0, -5.0, -5.0, -5.0])
    assert combined == pytest.approx(8.0 - math.log(4), abs=1e-4)


def test_never_above_the_worst_part():
    assert combine_parts([0.3, 0.2, -4.0]) <= 0.3


def test_no_parts_no_evidence():
    assert combine_parts([]) is None
    assert DecisionRule().decide(None, 0.5) is Decision.INCONCLUSIVE


@pytest.mark.parametrize(
    ("fake_llr", "prior_fake", "decision"),
    [
        (1.0, 0.5, Decision.FAKE),
        (-1.0, 0.5, Decision.REAL),
        (0.05, 0.5, Decision.INCONCLUSIVE),
        (1.0, 0.01, Decision.REAL),
        (-1.0, 0.99, Decision.FAKE),
    ],
)
def test_the_prior_moves_the_decision(fake_llr, prior_fake, decision):
    assert (
        DecisionRule(fake_log_odds=0.1, real_log_odds=0.1).decide(fake_llr, prior_fake) is decision
    )


@pytest.mark.parametrize(
    ("fake_llr", "decision"),
    [
        (1.7, Decision.FAKE),
        (1.5, Decision.INCONCLUSIVE),
        (-0.6, Decision.INCONCLUSIVE),
        (-0.8, Decision.REAL),
    ],
)
def test_calling_fake_may_ask_for_more_than_calling_real(fake_llr, decision):
    assert DecisionRule(fake_log_odds=1.6, real_log_odds=0.7).decide(fake_llr, 0.5) is decision


def test_costs_in_second_looks_give_the_odds_at_which_a_call_is_cheaper():
    rule = DecisionRule.at_costs(false_alarm_cost=7.0, miss_cost=5.0)
    for odds, decision in ((5.9, Decision.INCONCLUSIVE), (6.1, Decision.FAKE)):
        assert rule.decide(math.log(odds), 0.5) is decision
    for odds, decision in ((3.9, Decision.INCONCLUSIVE), (4.1, Decision.REAL)):
        assert rule.decide(-math.log(odds), 0.5) is decision


@pytest.mark.parametrize(("false_alarm", "miss"), [(1.0, 5.0), (7.0, 0.5), (1.5, 2.0)])
def test_costs_at_which_nobody_would_look_twice_are_refused(false_alarm, miss):
    with pytest.raises(ValueError, match="second look"):
        DecisionRule.at_costs(false_alarm_cost=false_alarm, miss_cost=miss)
