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


def lag_ms(sound: Waveform, heard: Waveform) -> float:
    """How late ``heard`` is, by correlation in the telephone band to 1/8 of a sample.

    Below 300 Hz the codecs' own high-pass filters turn the phase; nothing is late there.
    """
    size = 2 * len(sound)
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ)
    cross = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sound, size))
    correlation = np.fft.irfft(cross * ((hz > 300) & (hz < 3_400)), 8 * size)
    late = int(np.argmax(correlation))
    return 1_000 * (late if late < 4 * size else late - 8 * size) / 8 / SAMPLE_RATE_HZ


def spectral_error(sound: Waveform, heard: Waveform) -> float:
    """Power by which short-time magnitudes differ in the telephone band, over their own power."""
    first, second = (
        np.abs(np.fft.rfft(x[: len(x) // 320 * 320].reshape(-1, 320) * np.hanning(320)))[:, 6:68]
        for x in (sound, heard)
    )
    return float(np.sum((first - second) ** 2) / np.sum(first**2))


@pytest.mark.parametrize("name", CODECS)
def test_a_codec_changes_the_sound_but_not_the_clock(name: str) -> None:
    sound = chirps(1.2)
    coded = through_codec(sound, name)
    assert coded.shape == sound.shape
    assert coded.dtype == np.float32
    assert not np.array_equal(coded, sound)
    assert abs(lag_ms(sound, coded)) < 0.5


@pytest.mark.parametrize("name", [n for n, codec in CODECS.items() if codec.rate_hz == 8_000])
def test_telephone_codecs_leave_nothing_above_4_khz(name: str) -> None:
    sound = chirps(1.2)
    assert power_above(through_codec(sound, name), 4_100) < 1e-3 * power_above(sound, 4_100)


def test_a_lower_bit_rate_loses_more() -> None:
    sound = chirps()
    errors = [np.mean((through_codec(sound, f"mp3_{k}") - sound) ** 2) for k in (24, 64)]
    assert errors[0] > 2 * errors[1]


def test_the_same_sound_gives_the_same_bits() -> None:
    sound = chirps(1.0)
    assert np.array_equal(through_codec(sound, "opus_12"), through_codec(sound, "opus_12"))


@pytest.mark.parametrize("kind", ["amr", "opus", "mp3", "aac", "g726"])
def test_more_bits_are_nearer_to_the_original(kind: str) -> None:
    lowest, highest = {
        "amr": ("amr_4.75", "amr_12.2"),
        "opus": ("opus_8", "opus_24"),
        "mp3": ("mp3_16", "mp3_128"),
        "aac": ("aac_16", "aac_64"),
        "g726": ("g726_16", "g726_40"),
    }[kind]
    sound = chirps(1.2)
    # Spectra, not waves: CELP codecs keep how it sounds, not where each sample lies.
    lost = [spectral_error(sound, through_codec(sound, name)) for name in (lowest, highest)]
    assert lost[0] > 1.2 * lost[1]


@pytest.mark.parametrize("name", ["amr_12.2", "opus_16"])
def test_a_decoder_conceals_the_packets_that_never_came(name: str) -> None:
    sound = chirps(1.2)
    lost = np.zeros(60, bool)
    lost[20], lost[35:50] = True, True
    whole, lossy = through_codec(sound, name), through_codec(sound, name, lost)
    assert lossy.shape == sound.shape
    assert np.array_equal(lossy[:6_000], whole[:6_000])  # packet 20 begins at 0.4 s
    levels = [np.sqrt(np.mean(x.reshape(-1, 320)[:60] ** 2, axis=1)) for x in (whole, lossy)]
    assert levels[1][20] > 0.3 * levels[0][20]  # one packet is filled
    assert levels[1][44:49].max() < 0.1 * levels[0][35:50].max()  # a long loss fades away


def test_a_codec_without_concealment_refuses_to_lose_packets() -> None:
    with pytest.raises(ValueError, match="pcm_mulaw"):
        through_codec(chirps(0.5), "ulaw", np.array([True]))
