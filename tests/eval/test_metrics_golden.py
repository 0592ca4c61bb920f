"""Detector metrics against the official scorers: ASVspoof 5, 2021 and 2019, DeepfakeBench."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from eval import metrics

FILE = json.loads((Path(__file__).parents[1] / "golden" / "metrics_cm.json").read_text("utf-8"))
CASES = {case["name"]: case for case in FILE["cases"]}
TIED = {"ties_integers", "all_equal", "binary_decisions", "two_trials_tie"}
every_case = pytest.mark.parametrize("name", CASES)


def exactly(official):
    return pytest.approx(float(official), abs=1e-6)


def fake_trials(case):
    """Golden files hold bona fide = 1, higher = bona fide; ours is the other way round."""
    return 1 - np.asarray(case["labels"]), -np.asarray(case["scores"], float)


def frames(case):
    inputs = case["deepfakebench"]["inputs"]
    return inputs["label_fake"], inputs["prob_fake"]


def test_every_case_and_the_prices_are_ours():
    assert len(CASES) == len(FILE["cases"]) == 17
    costs, prices = metrics.TandemCosts(), FILE["cost_model_tdcf"]
    assert costs.prior_target == exactly(prices["Ptar"])
    assert (costs.prior_fake, costs.prior_nontarget) == (prices["Pspoof"], exactly(prices["Pnon"]))
    assert {prices[f"Cmiss{system}"] for system in ("", "_asv", "_cm")} == {costs.cost_miss}
    assert {prices["Cfa"], prices["Cfa_asv"]} == {costs.cost_false_acceptance}
    assert {prices["Cfa_spoof"], prices["Cfa_cm"]} == {costs.cost_fake_acceptance}


@every_case
def test_equals_the_official_asvspoof5_scorer(name):
    labels, scores = fake_trials(CASES[name])
    official = CASES[name]["asvspoof5_track1"]
    assert metrics.eer(labels, scores, compat="asvspoof5") == exactly(official["eer"])
    assert metrics.min_dcf(labels, scores, compat="asvspoof5") == exactly(official["minDCF"])
    assert metrics.act_dcf(labels, scores) == exactly(official["actDCF"])
    assert metrics.cllr(labels, scores, compat="asvspoof5") == exactly(official["cllr"])
    assert np.isfinite(metrics.cllr(labels, scores))


@every_case
def test_thresholds_are_those_of_the_official_asvspoof5_scorer(name):
    official = CASES[name]["asvspoof5_track1"]
    miss, false_acceptance, thresholds = metrics.det_curve(
        *fake_trials(CASES[name]), compat="asvspoof5"
    )
    cost = metrics.ASVSPOOF5_POINT.normalised_cost(miss, false_acceptance)
    closest = np.argmin(np.abs(miss - false_acceptance))
    assert -thresholds[closest] == exactly(official["eer_threshold"])
    assert -thresholds[np.argmin(cost)] == exactly(official["minDCF_threshold"])
    assert -metrics.ASVSPOOF5_POINT.threshold_llr == exactly(official["actDCF_threshold"])


@every_case
def test_equals_the_official_tdcf(name):
    labels, scores = fake_trials(CASES[name])
    official = CASES[name]["tdcf"]
    if "error" in official:
        for compat in (None, "asvspoof5"):
            with pytest.raises(ValueError, match="decisions"):
                metrics.min_tdcf(labels, scores, metrics.ASVSPOOF5_ASV, compat=compat)
        return
    assert official.keys() == {"asvspoof5_default", "example"}
    for figures in official.values():
        asv = metrics.AsvErrorRates(
            miss=figures["Pmiss_asv"],
            false_acceptance=figures["Pfa_asv"],
            fake_acceptance=figures["Pfa_spoof_asv"],
        )
        for form, key in (("2021", "min_tDCF_2021"), ("2019", "min_tDCF_legacy2019")):
            ours = metrics.min_tdcf(labels, scores, asv, form=form, compat="asvspoof5")
            assert ours == exactly(figures[key])


@every_case
def test_equals_deepfakebench(name):
    official = CASES[name]["deepfakebench"]
    labels, scores = frames(CASES[name])
    assert metrics.accuracy(labels, scores, 0.5) == exactly(official["acc"])
    assert metrics.auc(labels, scores) == exactly(official["auc"])
    assert metrics.average_precision(labels, scores) == exactly(official["ap"])
    assert metrics.eer(labels, scores, compat="deepfakebench") == exactly(official["eer"])
    videos = [Path(frame).parent.name for frame in official["inputs"]["names"]]
    by_video = metrics.auc(*metrics.mean_by_clip(labels, scores, videos))
    assert by_video == exactly(official["video_auc"])


@every_case
def test_auc_equals_av_deepfake1m(name):
    official = CASES[name]["avdeepfake1m_auc"]["auc_fake_positive"]
    assert metrics.auc(*frames(CASES[name])) == exactly(official)


@pytest.mark.parametrize("name", sorted(CASES.keys() - TIED))
def test_defaults_are_the_official_figures_where_no_scores_tie(name):
    labels, scores = fake_trials(CASES[name])
    official = CASES[name]["asvspoof5_track1"]
    assert metrics.eer(labels, scores) == exactly(official["eer"])
    assert metrics.min_dcf(labels, scores) == exactly(official["minDCF"])
    tandem = CASES[name]["tdcf"].get("asvspoof5_default")
    if tandem:
        ours = metrics.min_tdcf(labels, scores, metrics.ASVSPOOF5_ASV)
        assert ours == exactly(tandem["min_tDCF_2021"])


@pytest.mark.parametrize("name", sorted(TIED))
def test_a_tie_does_not_count_against_the_detector_by_default(name):
    labels, scores = fake_trials(CASES[name])
    assert metrics.eer(labels, scores) < CASES[name]["asvspoof5_track1"]["eer"]
