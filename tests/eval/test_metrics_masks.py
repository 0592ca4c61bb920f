from __future__ import annotations

import numpy as np
import pytest

from eval.metrics import iinc, mask_iou, pixel_accuracy, pixel_auc


def square(top: int, left: int, size: int = 4) -> np.ndarray:
    mask = np.zeros((10, 10), bool)
    mask[top : top + size, left : left + size] = True
    return mask


EMPTY, FULL = np.zeros((10, 10), bool), np.ones((10, 10), bool)


@pytest.mark.parametrize(
    ("truth", "predicted", "iou", "non_containment", "accuracy"),
    [
        (square(0, 0), square(0, 0), 1.0, 0.0, 1.0),
        (square(0, 0), square(0, 2), 8 / 24, (2 - 0.5 - 0.5) / (3 - 0.24), 0.84),
        (square(0, 0), square(5, 5), 0.0, 2 / (3 - 0.32), 0.68),
        (square(0, 0), FULL, 0.16, (2 - 0.16 - 1) / 2, 0.16),
        (EMPTY, EMPTY, 1.0, 0.0, 1.0),
        (EMPTY, square(0, 0), 0.0, 1 / (3 - 0.16), 0.84),
        (EMPTY, FULL, 0.0, 0.5, 0.0),
    ],
)
def test_masks_known_by_hand(truth, predicted, iou, non_containment, accuracy):
    for pair in ((truth, predicted), (predicted, truth), (truth * 1, predicted * 1.0)):
        assert mask_iou(*pair) == pytest.approx(iou)
        assert iinc(*pair) == pytest.approx(non_containment)
        assert pixel_accuracy(*pair) == pytest.approx(accuracy)


def test_iinc_stays_between_none_and_all_outside():
    left = np.arange(100).reshape(10, 10) % 10 < 5
    assert iinc(left, ~left) == pytest.approx(1.0)


@pytest.mark.parametrize("predicted", [np.zeros((10, 9)), np.full((10, 10), 0.4), np.zeros(100)])
@pytest.mark.parametrize("metric", [mask_iou, iinc, pixel_accuracy])
def test_what_is_no_mask_is_refused(metric, predicted):
    with pytest.raises(ValueError, match="mask"):
        metric(EMPTY, predicted)


def test_pixel_auc_ranks_forged_pixels_above_others():
    truth = square(0, 0)
    levels = np.where(truth, 0.2, 0.1)
    assert pixel_auc(truth, levels) == 1.0
    assert pixel_auc(truth, -levels) == 0.0
    assert pixel_auc(truth, np.full((10, 10), 0.7)) == 0.5
    # half of the square is marked, and as many pixels outside it
    half = square(0, 2).astype(float)
    above, tied = 8 * (84 - 8), 8 * 8 + 8 * (84 - 8)
    assert pixel_auc(truth, half) == pytest.approx((above + tied / 2) / (16 * 84))


@pytest.mark.parametrize("truth", [EMPTY, FULL])
def test_pixel_auc_needs_forged_and_untouched_pixels(truth):
    with pytest.raises(ValueError, match="class"):
        pixel_auc(truth, np.zeros((10, 10)))


def test_pixel_auc_refuses_a_map_of_another_shape():
    with pytest.raises(ValueError, match="map"):
        pixel_auc(square(0, 0), np.zeros((10, 9)))
