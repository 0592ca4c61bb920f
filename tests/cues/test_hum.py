"""Hum that runs on, and hum that was cut, in real files."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.cues.hum import CUE
from tests import synth
from tests.cues.hearing import RATE_HZ, listen, listen_to_file


def _hum(seconds: float, mains_hz: float, seed: int) -> np.ndarray:
    """Mains of slightly wandering frequency with sixteen harmonics, phases at random."""
    rng, n = np.random.default_rng(seed), round(seconds * RATE_HZ)
    wander = np.interp(
        np.arange(n) / RATE_HZ,
        np.arange(seconds + 2),
        rng.normal(0, 0.005, int(seconds) + 2).cumsum(),
    )
    phase = 2 * np.pi * np.cumsum(mains_hz + wander) / RATE_HZ
    return sum(np.sin(k * phase + rng.uniform(0, 6.28)) / k**0.7 for k in range(1, 17))


def _recording(mains_hz: float, cut_s: float | None, seed: int = 0) -> np.ndarray:
    """Nine seconds of speech over hum 26 dB below it; at ``cut_s`` 1.237 s were taken out."""
    gone = round(1.237 * RATE_HZ)
    hum = _hum(11.0, mains_hz, seed)
    speech = synth.speech_like(11.0, seed=seed)
    level = 0.05 * np.sqrt((speech**2).mean() / (hum**2).mean())
    sound = speech + level * hum
    if cut_s is not None:
        at = round(cut_s * RATE_HZ)
        sound = np.concatenate([sound[:at], sound[at + gone :]])
    return sound[: 9 * RATE_HZ].astype(np.float32)


@pytest.mark.parametrize("mains_hz", [49.96, 60.03])
@pytest.mark.parametrize(
    ("name", "codec", "rate_hz"),
    [
        ("a.wav", "pcm_s16le", 16_000),
        ("a.wav", "pcm_mulaw", 8_000),
        ("a.ogg", "libopus", 48_000),
        ("a.m4a", "aac", 44_100),
    ],
)
def test_a_cut_is_found_within_a_fifth_of_a_second(tmp_path, mains_hz, name, codec, rate_hz):
    from avdetect.channels.codecs import resample

    samples = resample(_recording(mains_hz, 5.1), RATE_HZ, rate_hz)
    bit_rate = 32_000 if codec in ("libopus", "aac") else None
    sound = synth.Sound(samples=samples, rate_hz=rate_hz, codec=codec, bit_rate=bit_rate)
    path = synth.encode(tmp_path / name, sound=sound)
    measurement, curve = listen_to_file(CUE, path)
    assert measurement.missing is None, measurement.missing
    assert curve is not None
    assert min(abs(mark - 5.1) for mark in curve.marks) < 0.2
    assert len(curve.marks) == 1
    assert f"{round(mains_hz)} Hz mains" in measurement.text


@pytest.mark.parametrize("seed", range(3))
def test_hum_that_runs_on_has_no_break_and_its_frequency_is_followed(seed):
    measurement, curve = listen(CUE, _recording(50.04, None, seed))
    assert measurement.missing is None, measurement.missing
    assert "runs on without a break" in measurement.text
    assert curve is not None
    assert curve.marks == ()
    assert abs(np.median(curve.y) - 50.04) < 0.03


def test_a_cut_after_more_than_a_minute_is_placed_on_the_clips_clock():
    whole = np.concatenate([_hum(70.0, 50.0, 1), _hum(20.0, 50.0, 2)])
    noise = 0.2 * np.random.default_rng(0).standard_normal(len(whole))
    measurement, curve = listen(CUE, (0.02 * (whole + noise)).astype(np.float32))
    assert measurement.missing is None, measurement.missing
    assert curve is not None
    assert len(curve.marks) == 1
    assert abs(curve.marks[0] - 70.0) < 0.2


@pytest.mark.parametrize(
    "waveform", [synth.noise(6.0), synth.speech_like(6.0)], ids=["noise", "voice"]
)
def test_where_no_hum_is_heard_the_cue_says_so(waveform):
    measurement, curve = listen(CUE, waveform)
    assert measurement.missing is not None
    assert "no line hum" in measurement.missing
    assert curve is None


def test_a_tone_that_is_no_mains_harmonic_is_not_taken_for_hum():
    measurement, _ = listen(CUE, synth.tone(6.0, hz=440.0) + synth.noise(6.0, amplitude=0.01))
    assert measurement.missing is not None


def test_three_seconds_are_needed():
    measurement, _ = listen(CUE, _recording(50.0, None)[: 2 * RATE_HZ])
    assert measurement.missing is not None
    assert "too short" in measurement.missing
