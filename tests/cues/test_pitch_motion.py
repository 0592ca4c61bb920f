"""Voices whose pitch trembles by a known amount."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.cues.pitch_motion import CUE
from tests import synth
from tests.cues.hearing import RATE_HZ, listen, listen_to_speech, pulses


def _named(waveform):
    measurement, _ = listen_to_speech(CUE, waveform)
    assert measurement.missing is None, measurement.missing
    return dict(zip(CUE.features, measurement.features, strict=True))


def _irregular(jitter: float, shimmer: float, seed: int = 0) -> np.ndarray:
    """Three seconds of glottal-like pulses at 125 Hz, periods and heights at random."""
    rng = np.random.default_rng(seed)
    out, at = np.zeros(3 * RATE_HZ), 100.0
    pulse = np.exp(-np.arange(100) / 12) * np.cos(2 * np.pi * 600 * np.arange(100) / RATE_HZ)
    while at < len(out) - 200:
        begin = int(at)
        # A pulse between samples is shared by its two neighbours.
        height = 1 + shimmer * rng.standard_normal()
        out[begin : begin + 100] += height * (1 - (at - begin)) * pulse
        out[begin + 1 : begin + 101] += height * (at - begin) * pulse
        at += 128.0 * (1 + jitter * rng.standard_normal())
    return (0.3 * out / np.abs(out).max()).astype(np.float32)


def test_more_jitter_and_more_shimmer_are_measured_as_more():
    steady, jittered, shimmered = (_named(_irregular(*s)) for s in ((0, 0), (0.02, 0), (0, 0.1)))
    assert jittered["log10_jitter"] > steady["log10_jitter"] + 0.5
    assert shimmered["log10_shimmer_db"] > steady["log10_shimmer_db"] + 0.3


@pytest.mark.parametrize(
    ("rate_hz", "band"),
    [(6.0, "tremor_4_8_hz_db"), (16.0, "tremor_12_21_hz_db"), (33.0, "tremor_25_50_hz_db")],
)
def test_a_tremor_shows_in_its_band(rate_hz, band):
    time_s = np.arange(3 * RATE_HZ) / RATE_HZ
    plain = _named(pulses(3.0, 120.0))
    trembling = _named(pulses(3.0, 120 * (1 + 0.02 * np.sin(2 * np.pi * rate_hz * time_s))))
    gain = {name: trembling[name] - plain[name] for name in plain if name.startswith("tremor")}
    assert gain[band] > 6.0
    assert gain[band] >= max(gain.values()) - 12.0


def test_a_slow_glide_is_not_tremor():
    glide = np.linspace(100, 140, 3 * RATE_HZ)
    assert _named(pulses(3.0, glide))["tremor_4_8_hz_db"] < -35.0


def test_pitch_is_drawn_over_time():
    _, curve = listen_to_speech(CUE, pulses(2.0, 150.0))
    assert curve is not None
    np.testing.assert_allclose(np.median(curve.y), 150.0, rtol=0.01)


def test_noise_and_short_voices_are_told_as_too_little():
    for waveform in (synth.noise(3.0), pulses(0.4, 120.0)):
        measurement, _ = listen_to_speech(CUE, waveform)
        assert measurement.missing is not None
        assert "too little sustained voice" in measurement.missing


def test_a_tune_outside_speech_is_no_voice():
    measurement, curve = listen(CUE, pulses(4.0, 150.0))
    assert measurement.missing is not None
    assert curve is None
