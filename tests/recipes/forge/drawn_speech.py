"""A voice made by rule: pulses with jitter through formants, syllables and hisses."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.signal import lfilter

from avdetect.channels.codecs import Waveform
from avdetect.timebase import SAMPLE_RATE_HZ

_SYLLABLE_S = 0.24
_LOWEST_HZ, _HIGHEST_HZ = (300, 900, 2_200, 3_400), (800, 1_900, 3_000, 4_500)
_STRENGTHS = (1.0, 0.8, 0.6, 0.5)


@lru_cache(maxsize=16)
def spoken(seconds: float = 1.2, pitch_hz: float = 130.0, seed: int = 0) -> Waveform:
    """(S,) float32; every 0.24 s a syllable of other formants, with a dip in energy before it."""
    rng = np.random.default_rng(seed)
    n_samples = round(seconds * SAMPLE_RATE_HZ)
    time_s = np.arange(n_samples) / SAMPLE_RATE_HZ
    contour = pitch_hz * (1 + 0.12 * np.sin(2 * np.pi * 0.7 * time_s + seed))
    contour *= 1 + 0.01 * np.repeat(rng.normal(size=n_samples // 80 + 1), 80)[:n_samples]
    pulses = np.diff(np.floor(np.cumsum(contour / SAMPLE_RATE_HZ)), prepend=0.0)
    breath = 0.02 * rng.normal(size=n_samples)
    size, out = round(_SYLLABLE_S * SAMPLE_RATE_HZ), np.zeros(n_samples)
    for start in range(0, n_samples, size):
        swell = np.sin(np.pi * np.arange(size) / size)[: n_samples - start] ** 0.7
        hisses = rng.random() < 0.2
        source = 0.15 * rng.normal(size=size)[: n_samples - start] if hisses else None
        voiced = (pulses + breath)[start : start + size]
        piece = _through_formants(voiced if source is None else source, rng)
        out[start : start + size] += piece * swell * rng.uniform(0.5, 1.0)
    out = 0.08 * out / np.sqrt(np.mean(out**2)) + 5e-4 * rng.normal(size=n_samples)
    return np.clip(out, -1.0, 1.0).astype(np.float32)


def _through_formants(source: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    out = np.zeros_like(source)
    for hz, strength in zip(rng.uniform(_LOWEST_HZ, _HIGHEST_HZ), _STRENGTHS, strict=True):
        radius, angle = np.exp(-np.pi * 110 / SAMPLE_RATE_HZ), 2 * np.pi * hz / SAMPLE_RATE_HZ
        zeros, poles = [strength, -strength], [1.0, -2 * radius * np.cos(angle), radius**2]
        out += lfilter(zeros, poles, source) / (2 * np.sin(angle / 2))
    return out
