"""Tandem metrics against the official scorers and against cases known by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from eval import metrics
from eval.metrics import AsvErrorRates, SpeakerScores, TandemCosts

FILE = json.loads((Path(__file__).parents[1] / "golden" / "metrics_sasv.json").read_text("utf-8"))
CASES = {case["name"]: case for case in FILE["cases"]}
PERFECT_ASV = AsvErrorRates(miss=0.0, false_acceptance=0.0, fake_acceptance=1.0)
# Two spoofs of ten pass the threshold below all real trials.
LABELS, SCORES = [0] * 10 + [1] * 10, [*range(10), 0.5, 1.5, *range(20, 28)]


def by_kind(case, column) -> SpeakerScores:
    kinds, scores = np.asarray(case["asv_keys"]), np.asarray(case[column])
    return SpeakerScores(*(scores[kinds == kind] for kind in ("target", "nontarget", "spoof")))


@pytest.mark.parametrize("name", CASES)
def test_equals_the_official_asvspoof5_track2_scorer(name):
    case = CASES[name]
    labels, scores = np.asarray(case["asv_keys"]) == "spoof", -np.asarray(case["cm"])
    a_dcf = metrics.a_dcf(by_kind(case, "sasv"), compat="asvspoof5")
    assert a_dcf == pytest.approx(case["a_dcf"], abs=1e-6)
    tdcf = metrics.min_tdcf(labels, scores, metrics.ASVSPOOF5_ASV, compat="asvspoof5")
    assert tdcf == pytest.approx(case["min_tdcf"], abs=1e-6)
    tandem = metrics.tandem_eer(labels, scores, by_kind(case, "asv"))
    assert tandem == pytest.approx(case["t_eer"] / 100.0, abs=1e-8)


def test_every_official_case_is_asked():
    assert len(CASES) == len(FILE["cases"]) == 4


def test_tdcf_of_a_perfect_asv_is_the_detection_cost_alone():
    """Without ASV errors both forms weigh misses by the target prior and spoofs by theirs."""
    point = metrics.OperatingPoint(prior_fake=0.05)
    costs = TandemCosts(prior_nontarget=0.0)
    for form in ("2021", "2019"):
        ours = metrics.min_tdcf(LABELS, SCORES, PERFECT_ASV, costs, form=form)
        assert ours == pytest.approx(metrics.min_dcf(LABELS, SCORES, point))


def test_tdcf_of_a_perfect_detector_is_what_the_asv_costs():
    asv = AsvErrorRates(miss=0.1, false_acceptance=0.2, fake_acceptance=0.5)
    labels, scores = [0, 0, 1, 1], [0.0, 1.0, 2.0, 3.0]
    own = 0.9405 * 0.1 + 0.0095 * 10 * 0.2
    expected = own / (own + 0.05 * 10 * 0.5)
    assert metrics.min_tdcf(labels, scores, asv) == pytest.approx(expected)
    assert metrics.min_tdcf(labels, scores, asv, form="2019") == 0.0


def test_tied_scores_do_not_cost_more_by_default():
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 2
    scores = np.round(rng.normal(labels * 1.0, 1.0))
    shuffled = rng.permutation(200)
    figure = metrics.min_tdcf(labels, scores, metrics.ASVSPOOF5_ASV)
    assert figure == metrics.min_tdcf(labels[shuffled], scores[shuffled], metrics.ASVSPOOF5_ASV)
    assert figure >= metrics.min_tdcf(labels, scores, metrics.ASVSPOOF5_ASV, compat="asvspoof5")


def test_a_dcf_at_a_threshold_known_by_hand():
    scores = SpeakerScores([1.0, 2.0, 3.0, 4.0], [0.0, 0.5], [0.0, 1.5])
    # Above 1.5 all impostors fall and one target of four does; above 0.5 one spoof of two passes.
    lowest = min(0.9405 * 0.25, 10 * 0.05 * 0.5)
    assert metrics.a_dcf(scores) == pytest.approx(lowest / (10 * 0.0095 + 10 * 0.05))


def test_a_dcf_of_one_score_for_all_is_the_blind_decision():
    scores = SpeakerScores([1.0] * 3, [1.0] * 2, [1.0])
    assert metrics.a_dcf(scores) == pytest.approx(1.0)
    # One by one, targets first: a tie costs at least as much.
    assert metrics.a_dcf(scores, compat="asvspoof5") == pytest.approx(1.0)


def test_tandem_eer_of_independent_gaussians_lies_on_all_three_rates():
    rng = np.random.default_rng(0)
    n = 20_000
    asv = SpeakerScores(rng.normal(2, 1, n), rng.normal(-2, 1, n), rng.normal(2, 1, n))
    labels, scores = np.repeat((0, 1), n), rng.normal(np.repeat((-1.0, 1.0), n), 1.0)
    found = metrics.tandem_eer(labels, scores, asv)

    def tail(x):
        return 0.5 * math.erfc(x / math.sqrt(2.0))

    # Both thresholds by hand: misses of the pair, nontargets through both, spoofs through both.
    asv_at, cm_at = np.meshgrid(np.linspace(-1.5, 1.5, 301), np.linspace(-1.5, 1.5, 301))
    passes = np.vectorize(tail)
    heard = passes(-1.0 - cm_at)
    miss = 1.0 - heard * passes(asv_at - 2.0)
    nontarget = heard * passes(asv_at + 2.0)
    spoof = passes(1.0 - cm_at) * passes(asv_at - 2.0)
    at = np.argmin(np.abs(miss - nontarget) + np.abs(miss - spoof))
    assert found == pytest.approx(miss.ravel()[at], abs=0.01)


def test_asv_rates_are_read_at_the_eer_threshold():
    asv = SpeakerScores([1.0, 2.0, 3.0, 4.0], [-1.0, 0.0, 0.5, 2.5], [5.0, 0.0])
    rates = metrics.asv_error_rates(asv)
    assert (rates.miss, rates.false_acceptance, rates.fake_acceptance) == (0.0, 0.25, 0.5)


@pytest.mark.parametrize(
    ("labels", "scores", "asv", "words"),
    [
        ([0, 1, 1], [0.0, 1.0, math.inf], PERFECT_ASV, "finite"),
        ([0, 1, 1], [0.0, 1.0, 1.0], PERFECT_ASV, "decisions"),
        ([0, 1, 1], [0.0, 1.0, math.nan], PERFECT_ASV, "NaN"),
        ([1, 1, 1], [0.0, 1.0, 2.0], PERFECT_ASV, "both classes"),
    ],
)
def test_undefined_tandem_costs_are_refused(labels, scores, asv, words):
    with pytest.raises(ValueError, match=words):
        metrics.min_tdcf(labels, scores, asv)


def test_asv_systems_without_sense_are_refused():
    rejects_all = AsvErrorRates(miss=1.0, false_acceptance=1.0, fake_acceptance=1.0)
    with pytest.raises(ValueError, match="not defined for these ASV errors"):
        metrics.min_tdcf(LABELS, SCORES, rejects_all)
    with pytest.raises(ValueError, match="fractions"):
        AsvErrorRates(miss=2.0, false_acceptance=0.0, fake_acceptance=0.0)
    with pytest.raises(ValueError, match="fake scores"):
        SpeakerScores([0.0], [1.0], [])
    with pytest.raises(ValueError, match="priors"):
        TandemCosts(prior_fake=0.9, prior_nontarget=0.2)
    with pytest.raises(ValueError, match="costs"):
        TandemCosts(cost_miss=-1.0)
    with pytest.raises(ValueError, match="costs nothing"):
        metrics.a_dcf(SpeakerScores([0.0], [1.0], [2.0]), TandemCosts(cost_miss=0.0))
