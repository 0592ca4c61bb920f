from __future__ import annotations

import numpy as np
import pytest

from avdetect.channels import degrade
from avdetect.channels.chain import random_channel
from tests.channels.test_codecs import chirps, power_above


def level(waveform: np.ndarray) -> float:
    return float(np.sqrt(np.mean(waveform.astype(np.float64) ** 2)))


def test_noise_is_as_loud_as_asked() -> None:
    sound = chirps()
    noisy = degrade.add_noise(sound, 12.0, 1.0, np.random.default_rng(0))
    assert 20 * np.log10(level(sound) / level(noisy - sound)) == pytest.approx(12.0, abs=0.01)


def test_a_narrow_line_ends_at_4_khz() -> None:
    sound = chirps()
    assert power_above(degrade.narrow_band(sound), 4_100) < 1e-3 * power_above(sound, 4_100)


def test_the_high_pass_takes_hum_and_leaves_speech() -> None:
    time_s = np.arange(32_000) / 16_000
    hum = np.sin(2 * np.pi * 30 * time_s).astype(np.float32)
    voice = np.sin(2 * np.pi * 300 * time_s).astype(np.float32)
    assert level(degrade.high_pass(hum)) < 0.15
    assert level(degrade.high_pass(voice)) == pytest.approx(level(voice), rel=0.02)


def test_clipping_puts_the_asked_share_at_the_rail() -> None:
    clipped = degrade.clip_peaks(chirps(), 0.01)
    at_rail = np.mean(np.abs(clipped) >= np.abs(clipped).max() - 1e-7)
    assert at_rail == pytest.approx(0.01, abs=0.001)


def test_gain_is_in_decibels() -> None:
    assert level(degrade.scale_gain(chirps(), 6.0206)) == pytest.approx(
        2 * level(chirps()), rel=1e-4
    )


def test_a_room_keeps_onsets_and_adds_a_tail() -> None:
    click = np.zeros(16_000, np.float32)
    click[4_000] = 1.0
    heard = degrade.reverberate(click, 0.4, 2.0, np.random.default_rng(0))
    assert np.argmax(np.abs(heard)) == 4_000
    assert np.abs(heard[:4_000]).max() < 1e-6
    assert level(heard[4_200:8_000]) > 0


def test_lost_packets_are_about_the_asked_share() -> None:
    noise = np.random.default_rng(1).normal(size=16_000 * 20).astype(np.float32)
    received = degrade.lose_packets(noise, 0.1, 2.0, np.random.default_rng(0))
    changed = (received != noise).reshape(-1, 320).any(1).mean()
    assert changed == pytest.approx(0.1, abs=0.04)


def test_a_drawn_channel_treats_twins_alike() -> None:
    sound = chirps(1.5)
    for seed in range(12):
        once = random_channel(np.random.default_rng(seed))(sound)
        again = random_channel(np.random.default_rng(seed))(sound)
        assert once.shape == sound.shape
        assert np.array_equal(once, again)
