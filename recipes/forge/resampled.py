"""Voice changers of the plainest kind: played faster or slower, then stretched to its old length.

Pitch and formants move together.
"""

from __future__ import annotations

import librosa
import numpy as np
from scipy.signal import resample_poly

from recipes.forge.pitch import Samples

_FACTORS = (
    (7, 8),
    (8, 9),
    (9, 10),
    (11, 12),
    (12, 11),
    (10, 9),
    (9, 8),
    (8, 7),
)  # 1.5 to 2.3 semitones
_SIZE, _HOP, _SEARCH = 640, 320, 200


def phase_vocoded(waveform: Samples, rng: np.random.Generator) -> Samples:
    """Stretched by a phase vocoder (Flanagan & Golden 1966)."""
    played = _played(waveform, rng)
    n_fft = int(rng.choice([512, 1_024, 2_048]))
    spectra = librosa.stft(played, n_fft=n_fft)
    stretched = librosa.phase_vocoder(spectra, rate=len(played) / len(waveform), n_fft=n_fft)
    return np.asarray(librosa.istft(stretched, length=len(waveform)), np.float64)


def overlapped(waveform: Samples, rng: np.random.Generator) -> Samples:
    """Stretched by overlapping pieces where they look alike (WSOLA)."""
    return stretch(_played(waveform, rng), len(waveform))


def stretch(waveform: Samples, n_samples: int) -> Samples:
    """WSOLA (Verhelst & Roelands 1993): (S,) to (n_samples,), pitch kept."""
    rate = len(waveform) / n_samples
    padded = np.pad(waveform, (_SEARCH, _SIZE + _SEARCH + _HOP))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(_SIZE) + 0.5) / _SIZE)
    out, going_on = np.zeros(n_samples + _SIZE), padded[_SEARCH : _SEARCH + _SIZE]
    for start in range(0, n_samples, _HOP):
        place = min(round(start * rate), len(waveform))
        near = padded[place : place + _SIZE + 2 * _SEARCH]
        energy = np.convolve(near**2, np.ones(_SIZE), "valid")
        likeness = np.correlate(near, going_on, "valid") / np.sqrt(energy + 1e-9)
        shift = int(np.argmax(likeness))
        out[start : start + _SIZE] += near[shift : shift + _SIZE] * window
        after = place + shift + _HOP
        going_on = np.pad(padded[after : after + _SIZE], (0, max(0, after + _SIZE - len(padded))))
    # Windows overlap by half and sum to one, but in the first half of the first.
    out[:_HOP] /= np.maximum(window[:_HOP], 0.1)
    return out[:n_samples]


def _played(waveform: Samples, rng: np.random.Generator) -> Samples:
    """At another speed: shorter and higher, or longer and lower."""
    up, down = _FACTORS[int(rng.integers(len(_FACTORS)))]
    return np.asarray(resample_poly(waveform, up, down), np.float64)
