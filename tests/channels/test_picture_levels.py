"""Every rung for pictures keeps the contract of `Level`, and means what its name says."""

from __future__ import annotations

import re

import numpy as np
import pytest

from avdetect.channels.levels import Level
from avdetect.channels.picture_levels import PICTURE_LEVELS
from tests.channels.moving_pictures import moving_pictures, psnr_db

PICTURES = moving_pictures(10)
LEVELS = list(PICTURE_LEVELS.values())
OF_PICTURES = [level for level in LEVELS if level.picture]


def degraded(level: Level, pictures: np.ndarray = PICTURES) -> np.ndarray:
    assert level.picture is not None
    return level.picture(pictures, np.random.default_rng(0))


def family(name: str) -> list[Level]:
    """Rungs of a family in the order of the number at the end of their names."""
    rungs = [level for level in LEVELS if level.family == name]
    return sorted(rungs, key=lambda level: float(re.findall(r"[\d.]+", level.name)[-1]))


@pytest.mark.parametrize("level", OF_PICTURES, ids=lambda level: level.name)
def test_every_level_keeps_number_and_type_and_repeats_itself(level: Level) -> None:
    before = PICTURES.copy()
    first, second = degraded(level), degraded(level)
    assert first.dtype == np.uint8 and first.ndim == 4
    assert (len(first), first.shape[3]) == (len(PICTURES), 3)
    assert np.array_equal(first, second)
    assert np.array_equal(PICTURES, before)


@pytest.mark.parametrize("level", OF_PICTURES, ids=lambda level: level.name)
def test_every_level_takes_a_single_picture_of_odd_size(level: Level) -> None:
    assert len(degraded(level, PICTURES[:1, :51, :37])) == 1


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.name)
def test_a_level_changes_something_and_leaves_the_sound_to_others(level: Level) -> None:
    assert PICTURE_LEVELS[level.name] is level
    assert re.fullmatch(r"[a-z0-9_.]+", level.name)
    assert level.sound is None
    assert (level.picture is None) == (level.sound_delay_s != 0.0)


@pytest.mark.parametrize("name", ["h264", "vp9"])
def test_a_codec_ladder_goes_down_rung_by_rung(name: str) -> None:
    quality = [psnr_db(degraded(level), PICTURES) for level in family(name)]
    assert quality == sorted(quality, reverse=True) and len(set(quality)) == len(quality)


def test_jpeg_and_noise_ladders_go_down() -> None:
    jpeg = [psnr_db(degraded(level), PICTURES) for level in family("jpeg")]
    noise = [psnr_db(degraded(level), PICTURES) for level in family("sensor_noise")]
    assert jpeg == sorted(jpeg) and noise == sorted(noise, reverse=True)


def test_field_ends_where_the_targets_end() -> None:
    field = {level.name for level in LEVELS if level.severity == "field"}
    assert {"h264_crf_32", "resize_360p", "jpeg_50"} <= field
    assert not {"h264_crf_36", "resize_240p", "jpeg_30", "sound_late_200ms"} & field


def test_coding_twice_loses_more_than_coding_once() -> None:
    once, twice = (
        psnr_db(degraded(PICTURE_LEVELS[name]), PICTURES)
        for name in ("h264_crf_28", "h264_crf_23_then_28")
    )
    assert twice < once


def test_laundering_works_at_the_size_it_names() -> None:
    large = moving_pictures(2, 400, 420)
    washed = degraded(PICTURE_LEVELS["social_network_picture"], large)
    assert washed.shape == large.shape
    assert psnr_db(washed, large) < psnr_db(degraded(PICTURE_LEVELS["resize_360p"], large), large)


def test_a_positive_delay_is_late_sound() -> None:
    delays = {level.name: level.sound_delay_s for level in LEVELS if level.family == "av_offset"}
    assert delays["sound_late_80ms"] == 0.08 and delays["sound_early_500ms"] == -0.5
    assert len(delays) == 8
