"""Plain statistics of a stretch of speech: how its spectrum, phase and pitch spread and move.

A few hundred numbers that a linear judge learns from where recordings are too few for a network.
Only frames within 35 dB of the loudest are counted, so that the length of silences tells nothing.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.signal import butter, sosfilt

from avdetect.timebase import SAMPLE_RATE_HZ

_WINDOW, _HOP, _N_FFT = 400, 160, 512  # 25 ms every 10 ms
_N_FILTERS, _N_CEPSTRA = 40, 30
_LOW_HZ, _HIGH_HZ = 80.0, 7800.0  # below lies hum, above the edge of resamplers
_ACTIVE_DB = 35.0
LEAST_FRAMES = 20
_BAND_EDGES = (0, 16, 32, 64, 96, 128, 160, 192, 224, 250)  # FFT bins of 31.25 Hz
BANDS = tuple(pairwise(_BAND_EDGES))
_PITCH_LAGS = slice(40, 220)  # 400 Hz to 73 Hz
# Modulation of band energies in bins of 0.39 Hz: phrases, syllables, phonemes, roughness.
_MODULATIONS = ((0, 6), (6, 15), (15, 30), (30, 59))
_MODULATION_FFT = 256
_BANDS_PER_MODULATION = 5

N_STATISTICS = 2 * 3 * _N_CEPSTRA + 3 * 3 * len(BANDS) + 2 * _N_CEPSTRA + len(_MODULATIONS) * 8

Frames = NDArray[np.float64]
Spectra = NDArray[np.complex128]


def voice_statistics(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """Statistics of up to a few seconds of speech.

    Args:
        waveform: (S,) float32 at 16 kHz in [-1, 1].

    Returns:
        (`N_STATISTICS`,) float32: level and spread of 30 linear-frequency cepstra, their first and
        second differences; level, spread and range of flatness, group-delay roughness
        (Yegnanarayana & Murthy 1992) and periodicity in nine bands; kurtosis and skewness of the
        cepstra; modulation of band energies. Zeros where fewer than 20 frames are active.
    """
    frames = _active_frames(waveform.astype(np.float64))
    if len(frames) < LEAST_FRAMES:
        return np.zeros(N_STATISTICS, np.float32)
    spectrum = np.fft.rfft(frames, _N_FFT)
    power = np.abs(spectrum) ** 2 + 1e-10
    bands = np.log(power @ _filters().T + 1e-8)
    cepstra = dct(bands, norm="ortho", axis=1)[:, :_N_CEPSTRA]
    speed = np.gradient(cepstra, axis=0)
    change = np.gradient(speed, axis=0)
    fine = (_flatness(power), _delay_roughness(frames, spectrum, power), _periodicity(power))
    parts = [cepstra.mean(0), cepstra.std(0)]
    for moved in (speed, change):
        parts += [np.abs(moved).mean(0), moved.std(0)]
    for rows in fine:
        parts += [rows.mean(0), rows.std(0)]
    for rows in fine:
        parts.append(np.percentile(rows, 90, axis=0) - np.percentile(rows, 10, axis=0))
    parts += [*_shape(cepstra), _modulation(bands)]
    return np.concatenate(parts).astype(np.float32)


def level_voice(samples: Frames, rms: float = 1.0) -> Frames:
    """(S,) high-passed and brought to a root-mean-square level."""
    if not len(samples):
        return samples
    filtered = sosfilt(_high_pass(), samples)
    return np.asarray(filtered * (rms / (np.sqrt(np.mean(filtered**2)) + 1e-9)))


def speech_spectra(samples: Frames) -> tuple[Spectra, NDArray[np.bool_]]:
    """(N, 257) spectra of 25 ms every 10 ms, and (N,) whether a frame is no silence."""
    frames = _windowed(samples)
    spectra = np.fft.rfft(frames, _N_FFT)
    return spectra, _is_active(spectra)


def _windowed(samples: Frames) -> Frames:
    if len(samples) < _WINDOW:
        return np.zeros((0, _WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
    return np.asarray(frames * np.hanning(_WINDOW))


def _is_active(spectra: Spectra) -> NDArray[np.bool_]:
    level_db = 10 * np.log10((np.abs(spectra) ** 2 + 1e-10).sum(1))
    return np.asarray(level_db > level_db.max(initial=-np.inf) - _ACTIVE_DB)


def _active_frames(samples: Frames) -> Frames:
    """(N, 400) windowed frames of the high-passed, levelled signal that are not silence."""
    frames = _windowed(level_voice(samples))
    return frames[_is_active(np.fft.rfft(frames, _N_FFT))]


@lru_cache(maxsize=1)
def _high_pass() -> Frames:
    """Second-order sections of the filter that takes hum away; designed once, not per window."""
    return np.asarray(butter(4, _LOW_HZ, "hp", fs=SAMPLE_RATE_HZ, output="sos"))


@lru_cache(maxsize=1)
def _filters() -> Frames:
    """(40, 257) triangular filters, evenly spaced in Hz."""
    hertz = np.linspace(0, SAMPLE_RATE_HZ / 2, _N_FFT // 2 + 1)
    edges = np.linspace(_LOW_HZ, _HIGH_HZ, _N_FILTERS + 2)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (hertz - left) / (centre - left), (right - hertz) / (right - centre)
    return np.asarray(np.maximum(0, np.minimum(rising, falling)))


def _flatness(power: Frames) -> Frames:
    """(N, 9) log of geometric over arithmetic mean power in each band."""
    return np.stack(
        [np.log(power[:, a:b]).mean(1) - np.log(power[:, a:b].mean(1)) for a, b in BANDS], 1
    )


def _delay_roughness(frames: Frames, spectrum: Spectra, power: Frames) -> Frames:
    """(N, 9) log deviation of the group delay's steps from bin to bin."""
    ramp = np.fft.rfft(frames * np.arange(_WINDOW), _N_FFT)
    delay = (spectrum.real * ramp.real + spectrum.imag * ramp.imag) / power
    steps = [np.diff(np.clip(delay[:, a:b], -400, 800), axis=1).std(1) for a, b in BANDS]
    return np.log(np.stack(steps, 1) + 1e-3)


def _periodicity(power: Frames) -> Frames:
    """(N, 9) highest autocorrelation at pitch lags of each band by itself."""
    found = []
    for a, b in BANDS:
        alone = np.zeros_like(power)
        alone[:, a:b] = power[:, a:b]
        correlation = np.fft.irfft(alone, _N_FFT)
        correlation = correlation / (correlation[:, :1] + 1e-9)
        found.append(np.abs(correlation[:, _PITCH_LAGS]).max(1))
    return np.stack(found, 1)


def _shape(cepstra: Frames) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Kurtosis and skewness of each cepstrum."""
    centred, variance = cepstra - cepstra.mean(0), cepstra.var(0)
    kurtosis = (centred**4).mean(0) / (variance**2 + 1e-9)
    return kurtosis, (centred**3).mean(0) / (variance**1.5 + 1e-9)


def _modulation(bands: Frames) -> NDArray[np.float64]:
    """(32,) log modulation of eight groups of five bands at four rates."""
    spectrum = np.abs(np.fft.rfft(bands - bands.mean(0), _MODULATION_FFT, axis=0))[1:60]
    grouped = spectrum.reshape(len(spectrum), -1, _BANDS_PER_MODULATION).mean(2)
    levels = np.log(grouped + 1e-6)
    return np.concatenate([levels[a:b].mean(0) for a, b in _MODULATIONS])
