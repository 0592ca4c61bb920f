from __future__ import annotations

import numpy as np
import pytest

from avdetect.channels.codecs import CODECS, Waveform, through_codec
from avdetect.timebase import SAMPLE_RATE_HZ


def chirps(seconds: float = 2.3) -> Waveform:
    """Tone bursts between 300 Hz and 3 kHz, as loud and as unsteady as syllables."""
    rng = np.random.default_rng(3)
    time_s = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    pitch_hz = 140 + 40 * np.sin(2 * np.pi * 0.9 * time_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE_HZ
    voice = sum(np.sin(k * phase) / k for k in range(1, 50))
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * time_s), 0, None)
    return (0.2 * voice * syllables + 1e-3 * rng.normal(size=len(time_s))).astype(np.float32)


def power_above(waveform: Waveform, hz: float) -> float:
    power = np.abs(np.fft.rfft(waveform)) ** 2
    return float(power[np.fft.rfftfreq(len(waveform), 1 / SAMPLE_RATE_HZ) > hz].sum())


@pytest.mark.parametrize("name", CODECS)
def test_a_codec_changes_the_sound_but_not_the_clock(name: str) -> None:
    sound = chirps()
    coded = through_codec(sound, name)
    assert coded.shape == sound.shape
    assert coded.dtype == np.float32
    assert not np.array_equal(coded, sound)
    envelopes = [np.abs(x).reshape(-1, 80).mean(1) for x in (sound, coded)]
    first, second = (e - e.mean() for e in envelopes)
    lag = int(np.argmax(np.correlate(second, first, "full"))) - (len(first) - 1)
    assert abs(lag) <= 2  # of 5 ms; CELP codecs smear onsets by that much


@pytest.mark.parametrize("name", [n for n, codec in CODECS.items() if codec.rate_hz == 8_000])
def test_telephone_codecs_leave_nothing_above_4_khz(name: str) -> None:
    sound = chirps()
    assert power_above(through_codec(sound, name), 4_100) < 1e-3 * power_above(sound, 4_100)


def test_a_lower_bit_rate_loses_more() -> None:
    sound = chirps()
    errors = [np.mean((through_codec(sound, f"mp3_{k}") - sound) ** 2) for k in (24, 64)]
    assert errors[0] > 2 * errors[1]


def test_the_same_sound_gives_the_same_bits() -> None:
    sound = chirps(1.0)
    assert np.array_equal(through_codec(sound, "opus_12"), through_codec(sound, "opus_12"))
