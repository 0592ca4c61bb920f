import numpy as np
import pytest

from recipes.forge.picture_channel import (
    PictureChannel,
    apply_channel,
    draw_channel,
    draw_light_channel,
    h264,
    jpeg,
)
from tests.recipes.forge.drawn_faces import drawn_face

PICTURE = drawn_face().picture


def test_neutral_channel_changes_nothing():
    assert np.array_equal(apply_channel(PictureChannel(), PICTURE), PICTURE)


def test_same_channel_treats_equal_pictures_equally():
    rng = np.random.default_rng(0)
    for _ in range(10):
        channel = draw_channel(rng)

        assert np.array_equal(
            apply_channel(channel, PICTURE), apply_channel(channel, PICTURE.copy())
        )


def test_size_is_kept():
    odd = PICTURE[:201, :173]

    coded = apply_channel(PictureChannel(shrink=0.61, h264_crf=30, h264_predicted=True), odd)

    assert coded.shape == odd.shape
    assert coded.dtype == np.uint8


@pytest.mark.parametrize("predicted", [False, True])
def test_h264_loses_more_at_a_higher_rate_factor(predicted):
    fine, coarse = (h264(PICTURE, crf, predicted=predicted) for crf in (18, 38))

    assert 0 < _loss(fine) < _loss(coarse) < 30


def test_a_light_channel_costs_less_than_any_usual_codec():
    rng = np.random.default_rng(0)
    worst = max(_loss(apply_channel(draw_light_channel(rng), PICTURE)) for _ in range(12))

    assert 0 < worst < _loss(h264(PICTURE, 26, predicted=True))


def test_a_predicted_frame_depends_on_the_moment_before_it():
    channel = PictureChannel(h264_crf=34, h264_predicted=True, noise=2.0, shrink=0.8)
    before = drawn_face(1).picture
    alone, after = apply_channel(channel, PICTURE), apply_channel(channel, PICTURE, before)

    assert (alone != after).any()
    assert _loss(after) < 20
    assert np.array_equal(after, apply_channel(channel, PICTURE.copy(), before.copy()))


def test_a_key_frame_knows_no_moment_before_it():
    channel = PictureChannel(h264_crf=34)

    after = apply_channel(channel, PICTURE, drawn_face(1).picture)

    assert np.array_equal(after, apply_channel(channel, PICTURE))


def test_jpeg_loses_more_at_a_lower_quality():
    assert 0 < _loss(jpeg(PICTURE, 95)) < _loss(jpeg(PICTURE, 40))


def _loss(picture):
    return np.abs(picture.astype(float) - PICTURE).mean()
