"""The pause before the first word: how long it is, and what else could stand there.

In some data sets fakes begin sooner, or with digital silence, and a classifier can live on that
(Müller et al. 2021 for ASVspoof; Smeu et al. 2025 for FakeAVCeleb and AV-Deepfake1M).
"""

from __future__ import annotations

import numpy as np

from avdetect.channels.codecs import Waveform
from avdetect.timebase import SAMPLE_RATE_HZ

_FRAME = SAMPLE_RATE_HZ // 100
_BELOW_PEAK_DB = 40.0


def leading_silence_s(waveform: Waveform) -> float:
    """Seconds before the first 10 ms whose level is within 40 dB of the loudest 10 ms.

    Args:
        waveform: (S,) float32 at 16 kHz.

    Returns:
        A multiple of 10 ms; 0 for a clip shorter than that or without any sound.
    """
    frames = waveform[: len(waveform) // _FRAME * _FRAME].reshape(-1, _FRAME)
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    loudest = float(power.max(initial=0.0))
    heard = np.flatnonzero(power > loudest * 10 ** (-_BELOW_PEAK_DB / 10))
    return float(heard[0]) * _FRAME / SAMPLE_RATE_HZ if len(heard) else 0.0


def mute_start(waveform: Waveform, seconds: float | None = None) -> Waveform:
    """Digital silence in place of the leading pause, or of the first ``seconds``."""
    out = waveform.copy()
    out[: _start_samples(waveform, seconds)] = 0.0
    return out


def room_tone_start(
    waveform: Waveform, level_dbfs: float, rng: np.random.Generator, seconds: float | None = None
) -> Waveform:
    """White noise of ``level_dbfs`` in place of the leading pause, or of the first ``seconds``."""
    out, end = waveform.copy(), _start_samples(waveform, seconds)
    out[:end] = rng.normal(0.0, 10 ** (level_dbfs / 20), len(out[:end]))
    return out


def _start_samples(waveform: Waveform, seconds: float | None) -> int:
    return round((leading_silence_s(waveform) if seconds is None else seconds) * SAMPLE_RATE_HZ)
