from __future__ import annotations

import numpy as np
import pytest

from avdetect.channels.replay import HIFI, PHONE, Loudspeaker, Recording, replay
from tests.channels.test_codecs import lag_ms, power_above
from tests.channels.test_degrade import level
from tests.synth import speech_like, tone

DRY = Recording(t60_s=0.05, distance_m=0.3, snr_db=60.0)


def distortion(loudspeaker: Loudspeaker) -> float:
    """Power of a 1 kHz tone's harmonics over its own."""
    heard = replay(tone(2.0, hz=1_000.0), loudspeaker, DRY, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(heard[8_000:24_000])) ** 2
    return float(sum(power[k * 1_000] for k in (2, 3, 4)) / power[1_000])


def test_a_small_loudspeaker_distorts_and_a_good_one_does_not() -> None:
    assert distortion(HIFI) < 1e-3
    assert distortion(PHONE) > 1e-2


def test_a_small_loudspeaker_cannot_play_low_notes() -> None:
    rng = np.random.default_rng(0)
    quiet = Recording(t60_s=0.2, distance_m=0.3, snr_db=60.0)
    sound = (0.1 * rng.normal(size=32_000)).astype(np.float32)
    heard = replay(sound, PHONE, quiet, rng)
    low = [power_above(x, 0) - power_above(x, 200) for x in (sound, heard)]
    assert low[1] < 0.1 * low[0]


@pytest.mark.parametrize("loudspeaker", [HIFI, PHONE])
def test_level_and_clock_are_kept(loudspeaker: Loudspeaker) -> None:
    speech = speech_like(2.0)
    recording = Recording(t60_s=0.3, distance_m=0.3, snr_db=20.0)
    heard = replay(speech, loudspeaker, recording, np.random.default_rng(1))
    assert heard.shape == speech.shape
    assert level(heard) == pytest.approx(level(speech), rel=1e-3)
    assert abs(lag_ms(speech, heard)) < 1.0
