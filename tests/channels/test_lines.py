from __future__ import annotations

import numpy as np
import pytest

from avdetect.channels.lines import automatic_gain, resample_through
from tests.channels.test_codecs import lag_ms, power_above
from tests.channels.test_degrade import level
from tests.synth import noise, speech_like, tone


@pytest.mark.parametrize("rates_hz", [(8_000,), (11_025,), (22_050,), (44_100, 12_000)])
def test_resampling_keeps_length_clock_and_what_the_lowest_rate_can_hold(
    rates_hz: tuple[int, ...],
) -> None:
    sound = noise(1.3)
    heard = resample_through(sound, rates_hz)
    edge_hz = min(8_000.0, min(rates_hz) / 2)
    assert heard.shape == sound.shape
    assert heard.dtype == np.float32
    assert abs(lag_ms(sound, heard)) < 0.1
    assert power_above(heard, 1.1 * edge_hz) <= 1e-3 * power_above(sound, 0)
    low = resample_through(tone(1.0, hz=1_000.0), rates_hz)
    assert level(low) == pytest.approx(level(tone(1.0, hz=1_000.0)), rel=0.02)


def test_automatic_gain_brings_soft_and_loud_passages_together() -> None:
    loud, soft = tone(2.0, amplitude=0.5), tone(2.0, amplitude=0.05)
    heard = automatic_gain(np.concatenate([loud, soft]), -20.0)
    target = 10 ** (-20 / 20)
    assert level(heard[16_000:32_000]) == pytest.approx(target, rel=0.05)
    assert level(heard[48_000:]) == pytest.approx(target, rel=0.05)


def test_automatic_gain_falls_fast_and_rises_slowly() -> None:
    steps = np.concatenate([tone(1.0, amplitude=0.05), tone(1.0, amplitude=0.5)])
    gain = automatic_gain(steps, -20.0) / np.where(np.abs(steps) > 1e-3, steps, np.nan)
    before, soon = np.nanmedian(gain[15_000:16_000]), np.nanmedian(gain[16_600:17_000])
    assert before == pytest.approx(0.1 / level(steps[:16_000]), rel=0.15)
    assert soon < 0.3 * before


def test_automatic_gain_does_not_lift_pauses() -> None:
    pause = noise(1.0, amplitude=1e-4)
    heard = automatic_gain(np.concatenate([pause, speech_like(1.0), pause]), -20.0)
    assert np.array_equal(heard[:15_800], pause[:15_800])
