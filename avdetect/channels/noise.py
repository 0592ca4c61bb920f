"""Noises behind a voice, all made by rule: no recording is needed or shipped."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avdetect.channels.codecs import Waveform
from avdetect.channels.degrade import mix
from avdetect.timebase import SAMPLE_RATE_HZ

_TALKERS = 8
_SYLLABLES_HZ = 4.0
_MAINS_HZ = 50.0


def add_babble(waveform: Waveform, snr_db: float, rng: np.random.Generator) -> Waveform:
    """Eight talkers behind the voice, at ``snr_db``.

    Made of noise, as no recorded crowd is at hand: each talker is speech-shaped noise (level over
    frequency roughly after Byrne et al. 1994: flat to 500 Hz, then falling by 9 dB an octave) that
    swells and fades four times a second, as in the ICRA noises (Dreschler et al. 2001).

    Args:
        waveform: (S,) float32 at 16 kHz.
        snr_db: level of the voice over that of the babble, both over the whole clip.
        rng: draws the talkers.
    """
    size = max(len(waveform), 2)
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ)
    voice = (hz / 100) ** 2 / (1 + (hz / 100) ** 2) / (1 + (hz / 500) ** 2) ** 0.75
    slow = hz <= _SYLLABLES_HZ
    crowd = np.zeros(size)
    for _ in range(_TALKERS):
        speech = _shaped(voice, size, rng)
        crowd += speech * np.abs(_shaped(slow.astype(np.float64), size, rng))
    return mix(waveform, crowd[: len(waveform)], snr_db)


def add_hum(waveform: Waveform, snr_db: float, rng: np.random.Generator) -> Waveform:
    """Mains hum at ``snr_db``: 50 Hz and its first seven harmonics, odd ones louder."""
    time_s = np.arange(len(waveform)) / SAMPLE_RATE_HZ
    hum = np.zeros(len(waveform))
    for harmonic in range(1, 9):
        strength = (1.0 if harmonic % 2 else 0.4) / harmonic
        phase = rng.uniform(0, 2 * np.pi)
        hum += strength * np.sin(2 * np.pi * _MAINS_HZ * harmonic * time_s + phase)
    return mix(waveform, hum, snr_db)


def _shaped(gain: NDArray[np.float64], size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.asarray(np.fft.irfft(np.fft.rfft(rng.normal(size=size)) * gain, size), np.float64)
