"""Plain statistics of speech: what they count and what they leave out."""

import numpy as np
import pytest

from avdetect.speech.statistics import N_STATISTICS, voice_statistics
from tests.synth import noise, speech_like, tone


@pytest.fixture(scope="module")
def speech():
    return speech_like(3.0)


def test_length_is_as_stated(speech):
    assert voice_statistics(speech).shape == (N_STATISTICS,)
    assert np.isfinite(voice_statistics(speech)).all()


def test_loudness_tells_nothing(speech):
    np.testing.assert_allclose(voice_statistics(0.1 * speech), voice_statistics(speech), atol=1e-3)


def test_hum_below_the_voice_tells_little(speech):
    hum = 0.02 * np.sin(2 * np.pi * 20 * np.arange(len(speech)) / 16000).astype(np.float32)
    moved = np.abs(voice_statistics(speech + hum) - voice_statistics(speech))
    assert np.median(moved) < 0.01


def test_digital_silence_around_speech_tells_little(speech):
    padded = np.concatenate([np.zeros(8000, np.float32), speech, np.zeros(8000, np.float32)])
    moved = np.abs(voice_statistics(padded) - voice_statistics(speech))
    assert np.median(moved) < 0.05


def test_silence_and_crumbs_give_zeros():
    assert not voice_statistics(np.zeros(0, np.float32)).any()
    assert not voice_statistics(noise(0.05)).any()


def test_noise_is_flat_and_a_tone_is_not():
    flatness = slice(6 * 30, 6 * 30 + 9)
    noisy = voice_statistics(noise(2.0))[flatness]
    pure = voice_statistics(tone(2.0, hz=700.0) + noise(2.0, amplitude=1e-3))[flatness]
    assert pure[1] < noisy[1] - 1.0  # the band from 500 Hz to 1 kHz holds the tone
