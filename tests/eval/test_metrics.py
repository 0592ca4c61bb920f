"""Metrics against brute force and against cases known by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eval import metrics


def random_trials(seed: int, n: int = 200, decimals: int = 1):
    rng = np.random.default_rng(seed)
    labels = np.r_[0, 1, rng.integers(0, 2, n - 2)]
    return labels, np.round(rng.normal(labels * 1.0, 1.0), decimals)


@pytest.mark.parametrize("seed", range(5))
def test_auc_is_the_share_of_pairs_in_order(seed):
    labels, scores = random_trials(seed)
    pairs = [
        1.0 if fake > real else 0.5 if fake == real else 0.0
        for fake in scores[labels == 1]
        for real in scores[labels == 0]
    ]
    assert metrics.auc(labels, scores) == pytest.approx(np.mean(pairs), abs=1e-12)


def test_auc_is_the_area_under_the_roc():
    labels, scores = random_trials(7)
    false_alarm, hit, _ = metrics.roc_curve(labels, scores)
    assert np.trapezoid(hit, false_alarm) == pytest.approx(metrics.auc(labels, scores))


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0, 1, 2, 3], 0.0),
        ([3, 2, 1, 0], 1.0),
        ([1, 1, 1, 1], 0.5),
        ([0, 2, 1, 3], 0.5),
    ],
)
def test_eer_of_four_trials(scores, expected):
    assert metrics.eer([0, 0, 1, 1], scores) == pytest.approx(expected)


@pytest.mark.parametrize("scale", [math.inf, 1e300, 1e-300])
def test_extreme_scores_keep_the_threshold_that_flags_nothing(scale):
    labels, scores = [0, 0, 1, 1], [-scale, scale, scale, scale]
    for compat in (None, "asvspoof5"):
        flagged, passed, _ = metrics.det_curve(labels, scores, compat=compat)
        assert (flagged[0], passed[0], flagged[-1], passed[-1]) == (0.0, 1.0, 1.0, 0.0)
    assert metrics.eer(labels, scores) == 0.25
    assert metrics.min_dcf([0, 1], [scale, -scale]) == 1.0


def test_eer_of_gaussians_is_the_normal_tail():
    rng = np.random.default_rng(0)
    labels = np.repeat((0, 1), 40_000)
    scores = rng.normal(2.0 * labels, 1.0)
    tail = 0.5 * math.erfc(1.0 / math.sqrt(2.0))
    assert metrics.eer(labels, scores) == pytest.approx(tail, abs=0.004)


def test_tied_scores_do_not_depend_on_the_order_of_trials():
    labels, scores = random_trials(3, decimals=0)
    shuffled = np.random.default_rng(0).permutation(labels.size)
    for metric in (metrics.auc, metrics.eer, metrics.average_precision, metrics.min_cllr):
        assert metric(labels, scores) == pytest.approx(metric(labels[shuffled], scores[shuffled]))


def test_tpr_at_fpr_uses_a_threshold_that_exists():
    labels = [0] * 100 + [1] * 4
    scores = [*range(100), 99.5, 98.5, 97.5, 0]
    assert metrics.tpr_at_fpr(labels, scores, 0.0) == 0.25
    assert metrics.tpr_at_fpr(labels, scores, 0.01) == 0.5
    assert metrics.tpr_at_fpr(labels, scores, 0.0199) == 0.5
    assert metrics.tpr_at_fpr(labels, scores, 1.0) == 1.0


def test_pav_pools_what_is_out_of_order():
    labels = [0, 1, 0, 0, 1, 1]
    expected = [0, 1 / 3, 1 / 3, 1 / 3, 1, 1]
    assert metrics.pav(labels, [1, 2, 3, 4, 5, 6]) == pytest.approx(expected)
    order = [3, 0, 5, 1, 4, 2]
    shuffled = metrics.pav(np.asarray(labels)[order], np.asarray([1, 2, 3, 4, 5, 6])[order])
    assert shuffled == pytest.approx(np.asarray(expected)[order])


@pytest.mark.parametrize("seed", range(4))
def test_pav_is_the_min_max_of_running_means(seed):
    """Isotonic regression in closed form (Barlow et al. 1972): max over left, min over right."""
    labels, _ = random_trials(seed, n=40)
    sums = np.append(0, np.cumsum(labels))
    mean = [
        [(sums[b + 1] - sums[a]) / (b + 1 - a) if b >= a else np.nan for b in range(40)]
        for a in range(40)
    ]
    best = [max(min(mean[a][b] for b in range(i, 40)) for a in range(i + 1)) for i in range(40)]
    assert metrics.pav(labels, np.arange(40)) == pytest.approx(best, abs=1e-12)


def test_pav_keeps_ties_together_and_never_falls():
    labels, scores = random_trials(11)
    fitted = metrics.pav(labels, scores)
    assert np.all(np.diff(fitted[np.argsort(scores, kind="stable")]) >= 0)
    for value in np.unique(scores):
        assert np.unique(fitted[scores == value]).size == 1
    assert fitted.mean() == pytest.approx(labels.mean())


def test_cllr_of_a_silent_detector_is_one_bit():
    assert metrics.cllr([0, 1, 1], [0.0, 0.0, 0.0]) == pytest.approx(1.0)


def test_min_cllr_forgives_scale_and_shift_but_not_ranking():
    labels, scores = random_trials(5, n=500, decimals=3)
    best = metrics.min_cllr(labels, scores)
    assert metrics.min_cllr(labels, 7.0 * scores + 3.0) == pytest.approx(best)
    for scale in (0.3, 1.0, 3.0):
        assert best <= metrics.cllr(labels, scale * (scores - 0.5))
    assert metrics.min_cllr([0, 0, 1, 1], [1, 2, 3, 4]) == 0.0
    assert metrics.min_cllr([0, 0, 1, 1], [4, 3, 2, 1]) == pytest.approx(1.0)


def test_ece_of_honest_llrs_is_small_and_of_boasts_is_not():
    rng = np.random.default_rng(1)
    labels = (rng.random(60_000) < 0.2).astype(int)
    honest = rng.normal((2 * labels - 1) * 1.0, math.sqrt(2.0))
    assert metrics.ece(labels, honest) < 0.01
    assert metrics.ece(labels, 5.0 * honest) > 0.1
    assert metrics.ece(labels, honest, prior_fake=0.05) < 0.01


def test_reliability_weights_classes_to_the_prior():
    bins = metrics.reliability([0, 0, 0, 1], [0.0, 0.0, 0.0, 0.0])
    figures = [bins.claimed.item(), bins.observed.item(), bins.weight.item()]
    assert figures == pytest.approx([0.5, 0.5, 1.0])


@pytest.mark.parametrize(
    ("labels", "scores"),
    [([1, 1], [0, 1]), ([0, 1], [0, math.nan]), ([0, 1, 1], [0, 1]), ([0, 2], [0, 1]), ([], [])],
)
def test_undefined_figures_are_refused(labels, scores):
    for metric in (metrics.auc, metrics.eer, metrics.min_cllr, metrics.min_dcf, metrics.ece):
        with pytest.raises(ValueError, match=r"label|NaN|class"):
            metric(labels, scores)


def test_accuracy_counts_the_right_side_of_the_threshold():
    assert metrics.accuracy([0, 0, 1, 1], [0.1, 0.6, 0.5, 0.9], 0.5) == 0.5


def test_frames_of_one_clip_become_one_trial():
    is_fake, scores = metrics.mean_by_clip([1, 0, 1, 0], [1.0, 0.0, 3.0, 0.5], ["b", "a", "b", "c"])
    assert is_fake.tolist() == [False, True, False]
    assert scores.tolist() == [0.0, 2.0, 0.5]
    with pytest.raises(ValueError, match="clip a holds frames of both classes"):
        metrics.mean_by_clip([1, 0], [1.0, 0.0], ["a", "a"])
    with pytest.raises(ValueError, match="one clip a score"):
        metrics.mean_by_clip([1, 0], [1.0, 0.0], ["a"])
