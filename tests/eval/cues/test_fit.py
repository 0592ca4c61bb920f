"""The worth of a cue: fitted by logistic regression, held out by fold, flat on dealt labels."""

from __future__ import annotations

import numpy as np
import pytest

from eval.cues.fit import fit_linear, out_of_fold, tempered, tempering
from eval.metrics import auc, cllr


def gaussians(n: int, *, shift: float, seed: int = 0):
    """(2n, 2) features of which the first is shifted for fakes, with labels and four folds."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1], n)
    features = rng.normal(size=(2 * n, 2)) * [1.0, 7.0] + [3.0, -2.0]
    features[:, 0] += shift * labels
    folds = [f"fold{k % 4}" for k in range(2 * n)]
    return features, labels, folds


def test_llr_of_two_gaussians_is_near_the_true_one():
    features, labels, _ = gaussians(4000, shift=1.0)
    model = fit_linear(features, labels)
    for x in (2.0, 3.5, 5.0):  # the true LLR of unit Gaussians a unit apart
        assert model.fake_llr((x, -2.0)) == pytest.approx(x - 3.5, abs=0.2)


def test_a_feature_that_says_nothing_gets_hardly_any_weight():
    features, labels, _ = gaussians(4000, shift=1.0)
    weights = np.abs(fit_linear(features, labels).weights)
    assert weights[1] < 0.1 * weights[0]


def test_classes_of_unequal_size_do_not_move_the_llr():
    features, labels, _ = gaussians(3000, shift=1.0)
    few = np.r_[0:3000, 3000:3300]
    some, all_ = fit_linear(features[few], labels[few]), fit_linear(features, labels)
    assert some.fake_llr((3.5, -2.0)) == pytest.approx(all_.fake_llr((3.5, -2.0)), abs=0.15)


def test_out_of_fold_llrs_separate_and_are_calibrated():
    features, labels, folds = gaussians(400, shift=1.5)
    llrs = out_of_fold(features, labels, folds)
    assert auc(labels, llrs) > 0.8
    assert cllr(labels, llrs) < 0.75


def test_shuffled_labels_come_out_at_chance():
    features, labels, folds = gaussians(400, shift=1.5)
    dealt = np.random.default_rng(5).permutation(labels)
    assert auc(dealt, out_of_fold(features, dealt, folds)) == pytest.approx(0.5, abs=0.08)


def test_a_fold_without_which_a_class_is_missing_is_not_scored():
    features, labels, _ = gaussians(20, shift=1.0)
    folds = ["real" if label == 0 else "fake" for label in labels]
    assert np.isnan(out_of_fold(features, labels, folds)).all()


def test_one_class_alone_is_refused():
    with pytest.raises(ValueError, match="both classes"):
        fit_linear(np.zeros((5, 2)), np.ones(5))


def test_claims_that_are_too_strong_are_scaled_down_and_right_ones_are_kept():
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1], 3000)
    # A true LLR of Gaussians: its mean is half its variance.
    llrs = rng.normal(np.where(labels == 1, 0.5, -0.5), 1.0)
    assert tempering(3.0 * llrs, labels) == pytest.approx(1 / 3, abs=0.05)
    assert tempering(llrs, labels) > 0.9
    assert tempering(-llrs, labels) == 0.0


def test_scaling_keeps_the_ranking_and_the_bound():
    features, labels, _ = gaussians(200, shift=1.0)
    model = fit_linear(features, labels)
    half = tempered(model, 0.5)
    assert half.fake_llr((4.0, 0.0)) == pytest.approx(0.5 * model.fake_llr((4.0, 0.0)))
    assert half.limit == model.limit
