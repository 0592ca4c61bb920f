"""Each step does to a picture what its name says, and leaves number and size as stated."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.channels import picture_degrade as degrade
from tests.channels.moving_pictures import moving_pictures, psnr_db

PICTURES = moving_pictures(40)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def sharpness(pictures: np.ndarray) -> float:
    return float(np.abs(np.diff(pictures.astype(float), axis=2)).mean())


def test_resizing_down_and_up_loses_detail_and_keeps_the_place() -> None:
    soft = degrade.at_short_side(PICTURES, 16)
    assert soft.shape == PICTURES.shape
    assert sharpness(soft) < 0.7 * sharpness(PICTURES)
    shifts = [psnr_db(np.roll(soft, shift, 2), PICTURES) for shift in (-2, 0, 2)]
    assert np.argmax(shifts) == 1


@pytest.mark.parametrize("side_px", [64, 65, 720])
def test_a_smaller_picture_is_never_enlarged(side_px: int) -> None:
    assert np.array_equal(degrade.at_short_side(PICTURES, side_px), PICTURES)


def test_the_shorter_side_counts_upright_and_across() -> None:
    seen: list[tuple[int, ...]] = []
    for pictures in (PICTURES[:1], PICTURES[:1].swapaxes(1, 2)):
        degrade.at_short_side(pictures, 32, lambda small: seen.append(small.shape[1:3]) or small)
    assert seen == [(32, 40), (40, 32)]


def test_blur_takes_more_detail_the_wider_it_is() -> None:
    left = [sharpness(degrade.blur(PICTURES, sigma)) for sigma in (0.7, 1.5, 3.0)]
    assert sharpness(PICTURES) > left[0] > left[1] > left[2]


def test_noise_has_the_asked_deviation_at_mid_grey_and_less_in_shadow() -> None:
    grey, dark = (np.full((4, 64, 64, 3), light, np.uint8) for light in (128, 30))
    noisy = degrade.sensor_noise(grey, 6.0, rng()).astype(float)
    assert noisy.std() == pytest.approx(6.0, rel=0.03)
    assert degrade.sensor_noise(dark, 6.0, rng()).astype(float).std() < 4.5
    assert abs(np.corrcoef((noisy[0] - 128).ravel(), (noisy[1] - 128).ravel())[0, 1]) < 0.05


def test_gamma_darkens_and_keeps_black_and_white() -> None:
    ramp = np.array([0, 64, 128, 255], np.uint8).reshape(1, 2, 2, 1).repeat(3, 3)
    toned = degrade.tone(ramp, gamma=2.0)[0, :, :, 0].ravel()
    assert toned.tolist() == [0, 16, 64, 255]


def test_contrast_turns_about_mid_grey_and_bias_shifts() -> None:
    flat = np.array([27, 127, 227, 255], np.uint8).reshape(1, 2, 2, 1).repeat(3, 3)
    assert degrade.tone(flat, contrast=0.5)[0, :, :, 0].ravel().tolist() == [77, 127, 177, 191]
    assert degrade.tone(flat, bias=30)[0, :, :, 0].ravel().tolist() == [57, 157, 255, 255]


def test_a_lost_frame_is_the_one_before_it() -> None:
    numbers = np.arange(200, dtype=np.uint8).reshape(-1, 1, 1, 1).repeat(3, 3)
    shown = degrade.drop_frames(numbers, 0.3, 3.0, rng())[:, 0, 0, 0].astype(int)
    assert len(shown) == 200 and shown[0] == 0
    lost = shown != np.arange(200)
    assert lost.mean() == pytest.approx(0.3, abs=0.12)
    assert (shown[1:][lost[1:]] == shown[:-1][lost[1:]]).all()


def test_half_the_frame_rate_shows_every_second_frame_twice() -> None:
    numbers = np.arange(7, dtype=np.uint8).reshape(-1, 1, 1, 1)
    assert degrade.halve_frame_rate(numbers).ravel().tolist() == [0, 0, 2, 2, 4, 4, 6]


def test_a_crop_keeps_the_middle() -> None:
    assert np.array_equal(degrade.crop(PICTURES, 0.75), PICTURES[:, 8:56, 10:70])


def test_a_mirrored_picture_mirrored_is_itself() -> None:
    turned = degrade.mirror(PICTURES)
    assert np.array_equal(turned[:, :, 0], PICTURES[:, :, -1])
    assert np.array_equal(degrade.mirror(turned), PICTURES)


@pytest.mark.parametrize("size", [(256, 320), (48, 64), (20, 20)])
def test_a_logo_lies_in_the_upper_right_corner_alone(size: tuple[int, int]) -> None:
    black = np.zeros((2, *size, 3), np.uint8)
    covered = degrade.overlay_logo(black)
    assert 100 < covered.max() <= 128
    assert not covered[:, size[0] // 2 + 4 :].any() and not covered[:, :, : size[1] // 2 - 4].any()


def test_a_caption_covers_the_lowest_eighth_with_dark_and_words() -> None:
    grey = np.full((2, 160, 320, 3), 128, np.uint8)
    covered = degrade.caption_bar(grey)
    assert np.array_equal(covered[:, :140], grey[:, :140])
    assert np.median(covered[:, 140:]) == 32 and covered[:, 140:].max() == 255


@pytest.mark.parametrize("step", [degrade.overlay_logo, degrade.caption_bar])
def test_drawing_leaves_the_given_pictures_alone(step) -> None:
    before = PICTURES.copy()
    step(PICTURES)
    assert np.array_equal(PICTURES, before)
