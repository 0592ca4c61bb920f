"""Fundamental frequency and pitch marks, by autocorrelation: what pitch-synchronous copies need.

Every function reads (S,) float64 at 16 kHz.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import medfilt

from avdetect.timebase import SAMPLE_RATE_HZ

Samples = NDArray[np.float64]
HOP = 80  # 5 ms, as WORLD
LOWEST_HZ, HIGHEST_HZ = 65.0, 450.0
_SIZE, _N_FFT = 640, 2_048  # 40 ms: more than two of the longest periods
_VOICED = 0.45  # normalised autocorrelation at the period
_AS_GOOD = 0.9  # of equal peaks the shortest lag: its multiples peak as well
_SILENT_DB = 35.0
_UNVOICED_STEP = 120  # 7.5 ms between marks where there is no pitch
_SEARCH = 0.2  # of a period, around where the next mark is expected


def track_pitch(waveform: Samples) -> Samples:
    """Fundamental frequency by autocorrelation over its window's own (Boersma 1993).

    Returns:
        (ceil(S / 80),) Hz at samples 0, 80, ...; 0 where there is no pitch.
    """
    n_frames = -(-len(waveform) // HOP)
    padded = np.pad(waveform, (_SIZE // 2, _SIZE))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::HOP][:n_frames]
    window = np.hanning(_SIZE)
    centred = (frames - frames.mean(1, keepdims=True)) * window
    shortest, longest = (round(SAMPLE_RATE_HZ / hz) for hz in (HIGHEST_HZ, LOWEST_HZ))
    likeness = _autocorrelation(centred)[:, : longest + 2]
    likeness /= _autocorrelation(window[None])[:, : longest + 2]
    power = likeness[:, 0]
    likeness = likeness / np.maximum(power[:, None], 1e-12)
    lags, peak = _first_high_peak(likeness, shortest, longest)
    heard = power > power.max(initial=0.0) * 10 ** (-_SILENT_DB / 10)
    pitch = np.where((peak > _VOICED) & heard, SAMPLE_RATE_HZ / lags, 0.0)
    return np.asarray(medfilt(pitch, 5), np.float64)


def mark_pitch(waveform: Samples, pitch_hz: Samples) -> NDArray[np.int64]:
    """One mark a period where there is pitch, at its strongest excursion; else every 7.5 ms.

    Args:
        waveform: (S,).
        pitch_hz: (ceil(S / 80),) as of `track_pitch`.

    Returns:
        (M,) rising sample indices, from 0 to S - 1.
    """
    # Speech swings farther one way than the other; marks follow that side.
    upright = waveform if waveform.max(initial=0) > -waveform.min(initial=0) else -waveform
    marks = [0]
    while True:
        last = marks[-1]
        pitch = float(pitch_hz[min(last // HOP, len(pitch_hz) - 1)])
        if not pitch:
            expected, reach = last + _UNVOICED_STEP, 0
        else:
            period = SAMPLE_RATE_HZ / pitch
            expected, reach = last + round(period), int(_SEARCH * period)
        if expected + reach >= len(waveform) - 1:
            break
        if reach:
            near = upright[expected - reach : expected + reach + 1]
            expected += int(np.argmax(near)) - reach
        marks.append(expected)
    return np.array([*marks, len(waveform) - 1], np.int64)


def _autocorrelation(frames: Samples) -> Samples:
    return np.asarray(np.fft.irfft(np.abs(np.fft.rfft(frames, _N_FFT)) ** 2), np.float64)


def _first_high_peak(likeness: Samples, shortest: int, longest: int) -> tuple[Samples, Samples]:
    """Lag, to a fraction of a sample, and height of the first peak about as high as the best."""
    inside = likeness[:, shortest : longest + 1]
    before, after = (
        likeness[:, shortest - 1 : longest],
        likeness[:, shortest + 1 : longest + 2],
    )
    is_peak = (inside >= before) & (inside > after)
    heights = np.where(is_peak, inside, 0.0)
    best = heights.max(1)
    index = np.argmax(heights >= _AS_GOOD * best[:, None], axis=1)
    rows = np.arange(len(index))
    left, top, right = before[rows, index], inside[rows, index], after[rows, index]
    bend = np.minimum(left - 2 * top + right, -1e-12)
    shift = np.clip(0.5 * (left - right) / bend, -0.5, 0.5)
    return np.asarray(shortest + index + shift), np.where(best > 0, top, 0.0)
