"""Real picture codecs give back every picture in its place, worse at a coarser setting."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.channels.picture_codecs import (
    PictureCodec,
    h264,
    h264_codec,
    jpeg,
    through_picture_codec,
    vp9_codec,
)
from tests.channels.moving_pictures import moving_pictures, psnr_db
from tests.synth import numbered_picture, read_number

PICTURES = moving_pictures(12)


@pytest.mark.parametrize("codec", [h264_codec(28), vp9_codec(37)])
def test_pictures_come_back_in_their_order(codec: PictureCodec) -> None:
    numbered = np.stack([numbered_picture(number) for number in range(20)])
    coded = through_picture_codec(numbered, codec)
    assert [read_number(picture) for picture in coded] == list(range(20))


@pytest.mark.parametrize("codec", [h264_codec(28), vp9_codec(37)])
def test_odd_sizes_are_coded_whole(codec: PictureCodec) -> None:
    odd = PICTURES[:, :61, :75]
    coded = through_picture_codec(odd, codec)
    assert coded.shape == odd.shape and coded.dtype == np.uint8
    assert psnr_db(coded[:, -1:], odd[:, -1:]) > 20
    assert (coded[:, -1] != odd[:, -1]).any() and (coded[:, :, -1] != odd[:, :, -1]).any()


@pytest.mark.parametrize("codec", [h264_codec, vp9_codec])
def test_a_higher_rate_factor_loses_more(codec) -> None:
    quality = [
        psnr_db(through_picture_codec(PICTURES, codec(crf)), PICTURES) for crf in (20, 35, 50)
    ]
    assert 60 > quality[0] > quality[1] > quality[2] > 15


def test_the_same_pictures_are_coded_alike() -> None:
    first, second = (through_picture_codec(PICTURES, h264_codec(32)) for _ in range(2))
    assert np.array_equal(first, second)


def test_no_pictures_stay_none() -> None:
    assert through_picture_codec(PICTURES[:0], h264_codec(23)).shape == PICTURES[:0].shape


def test_a_predicted_picture_is_coded_otherwise_than_a_key_frame() -> None:
    picture = PICTURES[0]
    assert (h264(picture, 30) != h264(picture, 30, predicted=True)).any()


def test_a_picture_is_predicted_from_what_was_shown_before() -> None:
    same = h264(PICTURES[3], 34, predicted=True, after=PICTURES[3])
    other = h264(PICTURES[3], 34, predicted=True, after=PICTURES[0])
    assert (same != other).any()
    assert np.array_equal(h264(PICTURES[3], 34, after=PICTURES[0]), h264(PICTURES[3], 34))


def test_jpeg_loses_more_at_a_lower_quality() -> None:
    quality = [psnr_db(jpeg(PICTURES[0], q), PICTURES[0]) for q in (95, 75, 30)]
    assert quality == sorted(quality, reverse=True)


def test_h264_does_not_depend_on_what_memory_held_before() -> None:
    small = moving_pictures(12, 48, 64)
    coded = set()
    for size in range(1, 21):
        litter = [np.full(size * 1_500, 17 * number % 256, np.uint8) for number in range(20)]
        del litter
        coded.add(through_picture_codec(small, h264_codec(40)).tobytes())
    assert len(coded) == 1
