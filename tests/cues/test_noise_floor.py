"""Pauses whose floor is known: steady, silent, gated, or changed at a known second."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.channels.codecs import through_codec
from avdetect.cues.noise_floor import CUE
from avdetect.types import Segment
from tests import synth
from tests.cues.hearing import RATE_HZ, listen, pulses

_SPEECH = tuple(Segment(at_s, at_s + 0.8) for at_s in np.arange(0.6, 8.0, 1.6).tolist())


def _talk(floor: np.ndarray, *, gated: bool = False) -> np.ndarray:
    """Eight seconds of voice in `_SPEECH` over a floor, which a gate shuts off between words."""
    spoken = np.zeros(8 * RATE_HZ, np.float32)
    for segment in _SPEECH:
        spoken[round(segment.start_s * RATE_HZ) : round(segment.end_s * RATE_HZ)] = 1.0
    voice = 0.5 * pulses(8.0, 125.0) * spoken
    return (voice + floor * (spoken if gated else 1.0)).astype(np.float32)


def _named(waveform):
    measurement, _ = listen(CUE, waveform, _SPEECH)
    assert measurement.missing is None, measurement.missing
    return dict(zip(CUE.features, measurement.features, strict=True)), measurement


def test_digital_silence_between_words_is_told():
    hissing, _ = _named(_talk(synth.noise(8.0, amplitude=0.002)))
    gated, measurement = _named(_talk(synth.noise(8.0, amplitude=0.002), gated=True))
    assert gated["silent_share"] > hissing["silent_share"] + 1.0
    assert gated["under_speech_less_pause_db"] > hissing["under_speech_less_pause_db"] + 10.0
    assert "100 % of the pauses are digital silence" in measurement.text


@pytest.mark.parametrize("codec", [None, "ulaw", "amr_12.2"])
def test_a_jump_of_the_floor_is_found_where_it_is(codec):
    floor = synth.noise(8.0, amplitude=0.003)
    floor[4 * RATE_HZ + 3200 :] *= 6.0  # in the pause from 3.8 s to 5.4 s, less the word
    waveform = _talk(floor)
    _, measurement = _named(waveform if codec is None else through_codec(waveform, codec))
    _, curve = listen(CUE, waveform, _SPEECH)
    assert measurement.value is not None
    assert measurement.value > 8.0
    assert curve is not None
    assert abs(curve.marks[0] - 4.2) < 0.5


def test_a_steady_floor_does_not_jump():
    _, measurement = _named(_talk(synth.noise(8.0, amplitude=0.003)))
    assert measurement.value is not None
    assert measurement.value < 5.0


def test_level_of_the_recording_does_not_matter():
    waveform = _talk(synth.noise(8.0, amplitude=0.004))
    loud, _ = _named(waveform)
    soft, _ = _named(0.25 * waveform)
    for name, value in loud.items():
        assert soft[name] == pytest.approx(value, abs=1.5), name


def test_speech_without_pauses_is_told_as_too_few_pauses():
    measurement, curve = listen(CUE, pulses(4.0, 120.0), (Segment(0.0, 4.0),))
    assert measurement.missing is not None
    assert "too few pauses" in measurement.missing
    assert curve is None
