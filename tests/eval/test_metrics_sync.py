from __future__ import annotations

import math

import pytest

from eval.metrics import sync_offset_error


def test_errors_are_in_seconds_and_frames_and_one_frame_is_right():
    error = sync_offset_error([0.0, 0.2, -0.2, 0.0], [0.04, 0.24, -0.4, 0.0])
    assert error.mean_s == pytest.approx(0.07)
    assert error.median_s == pytest.approx(0.04)
    assert error.bias_s == pytest.approx(-0.03)
    assert error.mean_frames == pytest.approx(1.75)
    assert error.within_tolerance == 0.75


def test_a_wrong_sign_is_a_large_error():
    assert sync_offset_error([0.2], [-0.2]).mean_s == pytest.approx(0.4)
    assert sync_offset_error([0.2], [-0.2], tolerance_s=0.5).within_tolerance == 1.0


@pytest.mark.parametrize(
    ("true", "measured"), [([], []), ([0.0], [0.0, 0.1]), ([0.0], [math.nan]), ([math.inf], [0.0])]
)
def test_what_is_not_measured_is_refused(true, measured):
    with pytest.raises(ValueError, match="offset"):
        sync_offset_error(true, measured)
