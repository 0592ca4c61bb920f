"""Harmonics in phase, and the same with their phases redrawn."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.channels.degrade import narrow_band, scale_gain
from avdetect.cues.harmonics import harmonics_of
from avdetect.cues.phase import CUE
from avdetect.cues.pitch import FRAME
from tests import synth
from tests.cues.hearing import listen, listen_to_speech, pulses


def _named(measurement):
    return dict(zip(CUE.features, measurement.features, strict=True))


def _redrawn(voice: np.ndarray, seed: int = 0) -> np.ndarray:
    """The same magnitudes every 16 ms, phases at random, as a poor vocoder makes them."""
    rng, size, hop = np.random.default_rng(seed), 1024, 256
    window = np.hanning(size + 1)[:-1]
    out = np.zeros(len(voice) + size)
    for start in range(0, len(voice) - size, hop):
        spectrum = np.abs(np.fft.rfft(voice[start : start + size] * window))
        phase = np.exp(2j * np.pi * rng.random(len(spectrum)))
        out[start : start + size] += np.fft.irfft(spectrum * phase) * window
    return (0.3 * out / np.abs(out).max()).astype(np.float32)[: len(voice)]


@pytest.mark.parametrize("pitch_hz", [95.0, 140.0, 230.0])
def test_harmonics_of_pulses_are_in_phase_at_their_frequency(pitch_hz):
    voice = pulses(0.2, pitch_hz)
    # A frame centred on a pulse: all cosines start there.
    period = 16_000 / pitch_hz
    centre = round(round(1600 / period) * period) - 1
    frame = voice[centre - FRAME // 2 : centre + FRAME // 2]
    found = harmonics_of(frame[None], np.array([pitch_hz]))
    inner = (found.hertz > 300) & (found.hertz < min(3000, 29 * pitch_hz))
    assert np.abs(found.frequency[inner]).max() < 0.05
    assert np.abs(found.delay_s[inner]).max() < 0.002
    bend = np.diff(found.phase[0][inner[0]], 2)
    assert np.cos(bend).min() > 0.8


def test_a_voice_whose_phases_were_redrawn_stands_apart_in_every_measure():
    steady = _named(
        listen_to_speech(CUE, pulses(3.0, 120 + 10 * np.sin(np.arange(48000) / 6000)))[0]
    )
    redrawn = _named(
        listen_to_speech(CUE, _redrawn(pulses(3.0, 120 + 10 * np.sin(np.arange(48000) / 6000))))[0]
    )
    for name, value in steady.items():
        if name.startswith(("shift_stability", "phase_bend")):
            assert redrawn[name] < value - 0.1, name
        else:
            assert redrawn[name] > value + 0.1, name


def test_level_and_a_telephone_band_hardly_change_it():
    voice = synth.speech_like(4.0)
    plain = np.array(listen_to_speech(CUE, voice)[0].features)
    changed = np.array(listen_to_speech(CUE, scale_gain(narrow_band(voice), -12.0))[0].features)
    assert np.abs(plain - changed).max() < 0.25


def test_noise_has_no_voice_to_measure():
    measurement, curve = listen_to_speech(CUE, synth.noise(3.0))
    assert measurement.missing is not None
    assert "voiced speech" in measurement.missing
    assert curve is None


def test_segment_covers_the_voice_and_not_the_silence_around_it():
    voice = np.concatenate(
        [np.zeros(32000, np.float32), pulses(2.0, 130.0), np.zeros(32000, np.float32)]
    )
    measurement, curve = listen_to_speech(CUE, voice)
    assert measurement.segment is not None
    assert 1.9 < measurement.segment.start_s < 2.1
    assert 3.9 < measurement.segment.end_s < 4.1
    assert curve is not None
    assert np.all(np.diff(curve.x) > 0)


def test_a_tune_outside_speech_is_no_voice():
    measurement, curve = listen(CUE, pulses(4.0, 150.0))
    assert measurement.missing is not None
    assert curve is None
