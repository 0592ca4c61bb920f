from __future__ import annotations

import math

import numpy as np
import pytest

from recipes.calibrate import cross_fitted_llrs, fit_calibration


def test_gaussian_scores_recover_their_true_ratio() -> None:
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(0, 1, 20_000), rng.normal(2, 1, 5_000)])
    labels = np.repeat([0, 1], [20_000, 5_000])
    calibration = fit_calibration(scores, labels)  # truth: llr = 2 x - 2, whatever the class sizes
    assert calibration.scale == pytest.approx(2.0, abs=0.15)
    assert calibration.offset == pytest.approx(-2.0, abs=0.15)
    assert calibration.limit == pytest.approx(math.log(5_000))


def test_separable_scores_stay_bounded() -> None:
    calibration = fit_calibration([0.0, 0.1, 5.0, 5.1], [0, 0, 1, 1])
    assert 0 < calibration.scale < 10
    assert calibration.fake_llr(1e9) == calibration.limit


def test_scores_that_point_the_wrong_way_keep_the_direction() -> None:
    assert fit_calibration([1.0, 0.9, 0.0, 0.1], [0, 0, 1, 1]).scale > 0


def test_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="both classes"):
        fit_calibration([1.0, 2.0], [1, 1])


def test_a_group_is_never_calibrated_on_itself() -> None:
    scores, labels = [0.0, 1.0, 0.2, 1.2, 0.1, 0.9], [0, 1, 0, 1, 0, 1]
    groups = ["a", "a", "b", "b", "c", "c"]
    llrs = cross_fitted_llrs(scores, labels, groups, n_folds=3)
    without_a = fit_calibration(scores[2:], labels[2:])
    assert llrs[0] == without_a.fake_llr(0.0)


def test_versions_of_one_clip_support_no_longer_odds_than_the_clip():
    scores, labels = [0.0, 0.2, 0.1, 1.0, 1.1, 0.9] * 4, [0, 0, 0, 1, 1, 1] * 4
    alone = fit_calibration(scores, labels)
    clips = [f"{label} {index % 3}" for index, label in enumerate(labels)]
    versions = fit_calibration(scores, labels, clips)
    assert (versions.scale, versions.offset) == (alone.scale, alone.offset)
    assert alone.limit == pytest.approx(math.log(12))
    assert versions.limit == pytest.approx(math.log(3))


def test_fakes_to_come_change_what_is_claimed_and_not_how_scores_are_read():
    scores, labels = [0.0, 0.2, 0.1, 1.0, 1.1, 0.9] * 4, [0, 0, 0, 1, 1, 1] * 4
    known, more = (fit_calibration(scores, labels, unknown=share) for share in (0.0, 0.1))
    assert (more.scale, more.offset, more.limit) == (known.scale, known.offset, known.limit)
    assert more.fake_llr(0.0) > known.fake_llr(0.0)
    assert more.unknown == 0.1
