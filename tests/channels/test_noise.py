from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from avdetect.channels.codecs import Waveform
from avdetect.channels.noise import add_babble, add_hum
from tests.channels.test_codecs import power_above
from tests.channels.test_degrade import level
from tests.synth import speech_like

Add = Callable[[Waveform, float, np.random.Generator], Waveform]


@pytest.mark.parametrize("add", [add_babble, add_hum])
@pytest.mark.parametrize("snr_db", [5.0, 20.0])
def test_noise_is_as_loud_as_asked(add: Add, snr_db: float) -> None:
    speech = speech_like(2.0)
    noise = add(speech, snr_db, np.random.default_rng(0)) - speech
    assert 20 * np.log10(level(speech) / level(noise)) == pytest.approx(snr_db, abs=0.1)


def test_babble_has_the_spectrum_of_speech_and_swells() -> None:
    speech = speech_like(8.0)
    babble = add_babble(speech, 0.0, np.random.default_rng(0)) - speech
    assert power_above(babble, 1_000) < 0.25 * power_above(babble, 0)
    steady = np.random.default_rng(0).normal(size=len(babble)).astype(np.float32)
    swing = [np.std(np.log(x.reshape(-1, 1_600).std(1))) for x in (babble, steady)]
    assert swing[0] > 3 * swing[1]


def test_hum_lies_on_multiples_of_50_hz() -> None:
    speech = speech_like(2.0)
    hum = add_hum(speech, 0.0, np.random.default_rng(0)) - speech
    power = np.abs(np.fft.rfft(hum)) ** 2
    lines = np.zeros(len(power), bool)
    lines[100:900:100] = True  # two seconds: bins of half a hertz
    assert power[lines].sum() > 0.999 * power.sum()
