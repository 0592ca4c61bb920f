"""Linear prediction frame by frame, and copies that change residual or resonances.

Analysis and synthesis are those of residual-excited vocoders (Atal & Hanauer 1971; Makhoul 1975):
with nothing changed in between, what comes back is what went in.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, lfilter, sosfiltfilt

from avdetect.timebase import SAMPLE_RATE_HZ
from recipes.forge.pitch import HOP, Samples, track_pitch
from recipes.forge.pitch_synchronous import draw_shift, repitch

_SIZE, _N_FFT = 400, 1_024  # 25 ms around blocks of 5 ms
_WINDOW = np.hanning(_SIZE)
_WHITER = 1.0 + 1e-5  # a floor of -50 dB keeps the recursion stable


def analyse(waveform: Samples, order: int) -> tuple[Samples, Samples]:
    """Predictors and what they leave unexplained.

    Args:
        waveform: (S,) at 16 kHz.
        order: coefficients a block.

    Returns:
        (ceil(S / 80), order + 1) filters A with A[:, 0] = 1, for `synthesise`, and the (S,)
        residual.
    """
    n_blocks = -(-len(waveform) // HOP)
    reach = (_SIZE - HOP) // 2
    around = np.lib.stride_tricks.sliding_window_view(np.pad(waveform, (reach, _SIZE)), _SIZE)
    power = np.abs(np.fft.rfft(around[::HOP][:n_blocks] * _WINDOW, _N_FFT)) ** 2
    predictors = _levinson(power, order)
    history = np.lib.stride_tricks.sliding_window_view(np.pad(waveform, (order, HOP)), HOP + order)
    blocks = history[::HOP][:n_blocks]
    residual = np.zeros((n_blocks, HOP))
    for lag in range(order + 1):
        residual += predictors[:, lag, None] * blocks[:, order - lag : order - lag + HOP]
    return predictors, residual.reshape(-1)[: len(waveform)]


def synthesise(excitation: Samples, predictors: Samples) -> Samples:
    """(S,) excitation through the all-pole filters of `analyse`, block by block; (S,)."""
    order = predictors.shape[1] - 1
    # Row m of a block's matrix holds a[m + 1:]: what past outputs still give to sample m.
    shifted_by = np.arange(order)[:, None] + np.arange(order)[None]
    memories = np.pad(predictors[:, 1:], ((0, 0), (0, order)))[:, shifted_by]
    out = np.zeros(order + len(excitation))
    for index, (predictor, memory) in enumerate(zip(predictors, memories, strict=True)):
        start = order + index * HOP
        block = excitation[index * HOP : (index + 1) * HOP]
        state = -memory @ out[start - order : start][::-1]
        out[start : start + len(block)], _ = lfilter([1.0], predictor, block, zi=state)
    return out[order:]


def warp(predictors: Samples, factor: float) -> Samples:
    """Predictors with their resonances at ``factor`` times the frequency: a shorter vocal tract."""
    power = 1 / np.maximum(np.abs(np.fft.rfft(predictors, _N_FFT)) ** 2, 1e-9)
    bins = np.arange(power.shape[1])
    read = np.clip(bins / factor, 0, bins[-1])
    lower = np.minimum(read.astype(np.int64), bins[-1] - 1)
    share = read - lower
    warped = np.exp((1 - share) * np.log(power[:, lower]) + share * np.log(power[:, lower + 1]))
    return _levinson(warped, predictors.shape[1] - 1)


def warped(waveform: Samples, rng: np.random.Generator) -> Samples:
    """Another speaker's throat: formants moved by 7 to 18 %, pitch kept."""
    predictors, residual = analyse(waveform, int(rng.integers(16, 23)))
    factor = float(1 + rng.uniform(0.07, 0.18)) ** float(rng.choice([-1, 1]))
    return synthesise(residual, warp(predictors, factor))


def residual_shifted(waveform: Samples, rng: np.random.Generator) -> Samples:
    """LP-PSOLA: the residual's periods are moved, the formants stay where they were."""
    predictors, residual = analyse(waveform, int(rng.integers(16, 23)))
    pitch = track_pitch(waveform)
    return synthesise(repitch(residual, pitch, pitch * draw_shift(rng)), predictors)


def residual_excited(waveform: Samples, rng: np.random.Generator) -> Samples:
    """A residual kept below 0.7 to 2 kHz only, its rest made of overtones (Un & Magill 1975)."""
    predictors, residual = analyse(waveform, int(rng.integers(12, 21)))
    edge_hz = rng.uniform(700, 2_000)
    low = _filtered(residual, edge_hz, "lowpass")
    high = _filtered(np.abs(low) + 0.3 * low.std() * rng.normal(size=len(low)), edge_hz, "highpass")
    _, flat = analyse(high, 6)  # rectifying leaves a slope: whiten it away
    target, made = _envelope(_filtered(residual, edge_hz, "highpass")), _envelope(flat)
    return synthesise(low + flat * target / np.maximum(made, 1e-9), predictors)


def _filtered(waveform: Samples, edge_hz: float, kind: str) -> Samples:
    sos = butter(4, edge_hz, kind, fs=SAMPLE_RATE_HZ, output="sos")
    return np.asarray(sosfiltfilt(sos, waveform), np.float64)


def _envelope(waveform: Samples) -> Samples:
    """Level over 12.5 ms."""
    power = np.convolve(waveform**2, np.ones(200) / 200, "same")
    return np.sqrt(np.maximum(power, 0.0))


def _levinson(power: Samples, order: int) -> Samples:
    """Predictors of (T, F) power spectra by the Levinson-Durbin recursion, all frames at once."""
    correlation = np.fft.irfft(power)[:, : order + 1]
    correlation[:, 0] = correlation[:, 0] * _WHITER + 1e-12
    predictors = np.zeros((len(power), order + 1))
    predictors[:, 0] = 1.0
    error = correlation[:, 0].copy()
    for step in range(1, order + 1):
        mirrored = correlation[:, step:0:-1]
        reflection = -np.sum(predictors[:, :step] * mirrored, axis=1) / error
        predictors[:, 1 : step + 1] += reflection[:, None] * predictors[:, step - 1 :: -1][:, :step]
        error *= 1 - reflection**2
    return predictors
