"""Figures of the maps, on masks and maps that are known."""

import numpy as np
import pytest

from recipes.visual_forgery.card import _limits_of_maps
from recipes.visual_forgery.mask_figures import (
    Baseline,
    MappedTwins,
    baseline_of,
    forged_pixels,
    mask_figures,
    view_of_pixels,
)

SIDE, CELLS = 176, 22


def squares(*tops):
    truth = np.zeros((len(tops), SIDE, SIDE), bool)
    for mask, top in zip(truth, tops, strict=True):
        mask[top : top + 80, 40:120] = True
    return truth


def log_odds(truth):
    cells = truth.reshape(len(truth), CELLS, 8, CELLS, 8).mean((2, 4))
    return np.where(cells > 0.5, 3.0, -3.0).astype(np.float32)


def twins(truth, maps, people=None):
    return MappedTwins(
        truth=truth,
        maps=maps,
        maps_of_real=np.full_like(maps, -3.0),
        people=people or tuple(str(k) for k in range(len(truth))),
    )


CENTRE = Baseline(mean=squares(48)[0].astype(float), threshold=0.5)


def test_maps_that_are_the_truth_are_perfect_and_the_baseline_is_not():
    truth = squares(0, 96)
    figures = mask_figures({"lip_box": twins(truth, log_odds(truth))}, CENTRE)["lip_box"]

    assert figures["network"] == {
        "iou": 1.0,
        "iou_95": [1.0, 1.0],
        "pixel_auc": 1.0,
        "pixel_auc_95": [1.0, 1.0],
        "iinc": 0.0,
        "iinc_95": [0.0, 0.0],
    }
    # 32 of the 80 rows lie within the square of the baseline
    assert figures["mean_training_mask"]["iou"] == pytest.approx(32 / 128)
    assert figures["marked_share_of_real"] == 0.0
    assert figures["forged_share"] == pytest.approx(80 * 80 / SIDE**2, abs=1e-3)


def test_all_is_over_every_picture_of_every_kind():
    good, bad = squares(0, 0, 0), squares(96)
    found = {
        "self_blend": twins(good, log_odds(good), ("a", "a", "b")),
        "redrawn": twins(bad, log_odds(~bad), ("c",)),
    }
    figures = mask_figures(found, CENTRE)

    assert figures["redrawn"]["network"]["iou"] == 0.0
    assert "iou_95" not in figures["redrawn"]["network"]  # one person has no interval
    assert figures["all"]["network"]["iou"] == 0.75
    assert figures["all"]["n_pairs"] == 4
    low, high = figures["all"]["network"]["iou_95"]
    assert low == 0.0 and high == 1.0


def test_a_picture_forged_all_over_has_no_pixel_auc():
    truth = np.concatenate([squares(0), np.ones((1, SIDE, SIDE), bool)])
    network = mask_figures({"redrawn": twins(truth, log_odds(truth))}, CENTRE)["redrawn"]["network"]
    assert network["pixel_auc"] == 1.0
    assert network["pixel_auc_n"] == 1
    assert network["iou"] == 1.0


def test_the_baseline_is_cut_where_it_fits_the_training_masks_best():
    masks = squares(48, 48, 48, 0).astype(np.float32)
    baseline = baseline_of(masks)
    assert baseline.mean.max() == 1.0
    # only the square most masks share, not what the fourth adds
    assert np.array_equal(baseline.mean > baseline.threshold, squares(48)[0])


@pytest.mark.parametrize("laid_on", [0.5, 0.75, 1.0])
def test_a_forgery_laid_on_half_transparent_is_forged_too(laid_on):
    mask = laid_on * squares(48)[0].astype(np.float32)
    assert np.array_equal(forged_pixels(mask), squares(48)[0])


def test_a_mask_of_nothing_marks_nothing():
    assert not forged_pixels(np.zeros((SIDE, SIDE), np.float32)).any()


def test_the_view_is_the_middle_of_the_crop():
    crop = np.zeros((224, 224))
    crop[24, 24] = crop[199, 199] = 1.0
    assert view_of_pixels(crop).shape == (SIDE, SIDE)
    assert view_of_pixels(crop).sum() == 2.0


def test_the_card_says_whether_maps_are_worth_more_than_one_mask_for_all():
    truth = squares(0, 8, 88, 96)
    good = mask_figures({"lip_box": twins(truth, log_odds(truth))}, CENTRE)["all"]
    poor = mask_figures({"lip_box": twins(truth, log_odds(squares(96, 88, 8, 0)))}, CENTRE)["all"]
    assert "pixel AUC 1.0" in _limits_of_maps(good)
    assert "face 0." in _limits_of_maps(good)
    assert ": better than" in _limits_of_maps(good)
    assert "not shown to be better than" in _limits_of_maps(poor)
