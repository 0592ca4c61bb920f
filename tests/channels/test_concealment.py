from __future__ import annotations

import numpy as np
import pytest

from avdetect.channels.concealment import CONCEALED_RATES_HZ, conceal
from avdetect.channels.loss import silence_lost
from tests.synth import speech_like

RATES = pytest.mark.parametrize("rate_hz", CONCEALED_RATES_HZ)


def voiced(rate_hz: int, seconds: float = 0.6, pitch_hz: float = 123.0) -> np.ndarray:
    """A steady vowel: ten harmonics of one pitch."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = sum(np.sin(2 * np.pi * pitch_hz * k * time_s + k * k) / k for k in range(1, 11))
    return (0.2 * wave).astype(np.float32)


def losing(waveform: np.ndarray, rate_hz: int, *lost_frames: int) -> np.ndarray:
    lost = np.zeros(-(-len(waveform) // (rate_hz // 100)), bool)
    lost[list(lost_frames)] = True
    return lost


def frames(waveform: np.ndarray, rate_hz: int) -> np.ndarray:
    return waveform[: len(waveform) // (rate_hz // 100) * (rate_hz // 100)].reshape(
        -1, rate_hz // 100
    )


@RATES
@pytest.mark.parametrize("pitch_hz", [70.0, 123.0, 190.0])
def test_a_steady_vowel_is_restored_where_zeros_lose_it(rate_hz: int, pitch_hz: float) -> None:
    vowel = voiced(rate_hz, pitch_hz=pitch_hz)
    lost = losing(vowel, rate_hz, 20, 21)
    concealed = frames(conceal(vowel, lost, rate_hz), rate_hz)[20:22]
    truth = frames(vowel, rate_hz)[20:22]
    error = np.mean((concealed - truth) ** 2) / np.mean(truth**2)
    assert error < 0.1  # zeros lose all of it: 1.0


def test_speech_is_nearer_to_the_truth_than_with_zeros() -> None:
    speech = speech_like(4.0, rate_hz=8_000)
    lost = np.repeat(np.random.default_rng(0).random(200) < 0.05, 2)
    zeros, concealed = silence_lost(speech, lost, 80), conceal(speech, lost)
    assert np.mean((concealed - speech) ** 2) < 0.6 * np.mean((zeros - speech) ** 2)


@RATES
def test_a_long_loss_fades_by_a_fifth_a_frame_and_is_silent_after_60_ms(rate_hz: int) -> None:
    # A period of a whole number of frames' fractions, so that every frame is as loud.
    vowel = voiced(rate_hz, pitch_hz=100.0)
    heard = frames(conceal(vowel, losing(vowel, rate_hz, *range(20, 30)), rate_hz), rate_hz)
    level = np.sqrt(np.mean(heard**2, axis=1))
    assert level[20] == pytest.approx(level[15], rel=0.02)
    for number, expected in ((21, 0.9), (22, 0.7), (23, 0.5), (24, 0.3)):
        assert level[number] == pytest.approx(expected * level[15], rel=0.1)
    assert not heard[26:30].any()


@RATES
@pytest.mark.parametrize("n_lost", [1, 2, 3, 4, 6, 9])
def test_no_seam_clicks(rate_hz: int, n_lost: int) -> None:
    vowel = voiced(rate_hz)
    heard = conceal(vowel, losing(vowel, rate_hz, *range(17, 17 + n_lost)), rate_hz)
    steepest = np.abs(np.diff(vowel)).max()
    assert np.abs(np.diff(heard)).max() < 1.15 * steepest
    cut = silence_lost(vowel, losing(vowel, rate_hz, 17), rate_hz // 100)
    assert np.abs(heard).max() < 1.2 * np.abs(cut).max()


@RATES
def test_good_stretches_come_back_bit_for_bit(rate_hz: int) -> None:
    speech = speech_like(1.0, rate_hz=rate_hz)
    size = rate_hz // 100
    heard = conceal(speech, losing(speech, rate_hz, 30, 31, 70), rate_hz)
    may_change = np.zeros(len(speech), bool)
    for first, last in ((30, 32), (70, 71)):
        may_change[first * size - round(0.00375 * rate_hz) : (last + 1) * size] = True
    assert np.array_equal(heard[~may_change], speech[~may_change])
    assert heard.dtype == np.float32
    assert heard.shape == speech.shape
    assert np.array_equal(conceal(speech, np.zeros(100, bool), rate_hz), speech)


def test_what_was_lost_is_never_looked_at() -> None:
    speech = speech_like(1.0, rate_hz=8_000)
    lost = losing(speech, 8_000, 10, 11, 13, 40, 41, 42, 43, 98, 99)
    garbage = speech.copy()
    garbage[np.repeat(lost, 80)] = np.nan
    assert np.array_equal(conceal(garbage, lost), conceal(speech, lost))


def test_a_loss_at_the_start_and_one_past_the_end_are_borne() -> None:
    speech = speech_like(0.5, rate_hz=8_000)[:3_965]
    lost = losing(speech, 8_000, 0, 1, 49)
    heard = conceal(speech, np.append(lost, [True] * 20))
    assert not heard[:160].any()
    assert np.isfinite(heard).all()
    assert heard.shape == speech.shape


def test_another_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="44100"):
        conceal(np.zeros(100, np.float32), np.zeros(1, bool), 44_100)
