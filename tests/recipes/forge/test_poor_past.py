import numpy as np
import pytest

from recipes.forge.poor_past import PoorPast, apply_past, draw_past, old_video
from tests.recipes.forge.drawn_faces import drawn_face

PICTURE = drawn_face().picture


def test_neutral_past_changes_nothing():
    assert np.array_equal(apply_past(PoorPast(), PICTURE), PICTURE)


def test_every_drawn_past_costs_detail_and_is_the_same_twice():
    rng = np.random.default_rng(0)
    for _ in range(20):
        past = draw_past(rng)
        once = apply_past(past, PICTURE)

        assert once.shape == PICTURE.shape
        assert 0 < _loss(once) < 40
        assert np.array_equal(once, apply_past(past, PICTURE.copy()))


def test_h264_of_the_past_predicts_from_the_moment_before():
    past = PoorPast(h264_crf=34, shrink=0.7)
    alone, after = apply_past(past, PICTURE), apply_past(past, PICTURE, drawn_face(1).picture)

    assert (alone != after).any()
    assert 0 < _loss(after) < 40


@pytest.mark.parametrize("encoder", ["mpeg4", "flv", "mpeg2video"])
def test_old_video_loses_more_by_coarser_steps(encoder):
    fine, coarse = (old_video(PICTURE, encoder, quantiser) for quantiser in (2, 20))

    assert 0 < _loss(fine) < _loss(coarse)


def test_odd_sizes_are_kept():
    odd = PICTURE[:201, :173]

    assert apply_past(PoorPast(encoder="mpeg4", quantiser=9, shrink=0.63), odd).shape == odd.shape


def _loss(picture):
    return np.abs(picture.astype(float) - PICTURE).mean()
