"""Pitch of a voice, frame by frame, light enough to run beside everything else.

Autocorrelation of a windowed frame over that of its window (Boersma 1993), without a search for the
best path: frames whose pitch leaps against their neighbours are taken as unvoiced instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import medfilt

from avdetect.timebase import SAMPLE_RATE_HZ

FRAME, HOP = 640, 160  # 40 ms every 10 ms
HOP_S = HOP / SAMPLE_RATE_HZ
LOWEST_HZ, HIGHEST_HZ = 70.0, 400.0
_N_FFT = 2048
_SHORTEST_LAG, _LONGEST_LAG = int(SAMPLE_RATE_HZ / HIGHEST_HZ), int(SAMPLE_RATE_HZ / LOWEST_HZ)
_VOICED = 0.5  # of full correlation
_SILENT_DB = 35.0  # below the loudest frame nothing counts as voiced
_OCTAVE_COST = 0.03  # of correlation for each octave down: the period, not its double
_SMOOTH_HZ = 2500.0  # above, peaks of the correlation would be narrower than a sample
_LEAP = 0.2  # of the median pitch of five frames


@dataclass(frozen=True, slots=True)
class PitchTrack:
    """Pitch of consecutive frames.

    Attributes:
        hertz: (N,) float64, 0 where unvoiced.
        strength: (N,) float64 correlation at the pitch period, 0..1.
        level_db: (N,) float64 level of the frame.
    """

    hertz: NDArray[np.float64]
    strength: NDArray[np.float64]
    level_db: NDArray[np.float64]

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """(N,) where a pitch was found."""
        return np.asarray(self.hertz > 0)

    def within(self, kept: NDArray[np.bool_]) -> PitchTrack:
        """The same with no voice outside ``kept`` (N,): a hum or a tune has a pitch, too."""
        return PitchTrack(np.where(kept, self.hertz, 0.0), self.strength, self.level_db)

    def runs(self, least: int) -> list[slice]:
        """Stretches of at least ``least`` voiced frames in a row."""
        edges = np.flatnonzero(np.diff(np.r_[False, self.voiced, False].astype(np.int8)))
        pairs = edges.reshape(-1, 2)
        return [slice(int(a), int(b)) for a, b in pairs if b - a >= least]


def track_pitch(frames: NDArray[np.floating]) -> PitchTrack:
    """Pitch of (N, `FRAME`) consecutive frames, `HOP` samples apart, at 16 kHz."""
    if not len(frames):
        return PitchTrack(np.zeros(0), np.zeros(0), np.zeros(0))
    centred = frames - frames.mean(axis=1, keepdims=True)
    level_db = 10 * np.log10((centred**2).mean(axis=1) + 1e-10)
    power = np.abs(np.fft.rfft(centred * np.hanning(FRAME), _N_FFT, axis=1)) ** 2
    power[:, round(_SMOOTH_HZ * _N_FFT / SAMPLE_RATE_HZ) :] = 0.0
    correlation = np.fft.irfft(power, axis=1)[:, : _LONGEST_LAG + 2]
    correlation = correlation / (correlation[:, :1] + 1e-12) / _window_correlation()
    lag, strength = _best_lag(correlation)
    loud = level_db > max(level_db.max() - _SILENT_DB, -70.0)
    hertz = np.where((strength > _VOICED) & loud, SAMPLE_RATE_HZ / lag, 0.0)
    return PitchTrack(_without_leaps(hertz), np.clip(strength, 0.0, 1.0), level_db)


def _best_lag(
    correlation: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lag of each frame's best peak to a fraction of a sample, and its height."""
    lags = np.arange(_SHORTEST_LAG, _LONGEST_LAG + 1)
    left, here, right = (correlation[:, lags + k] for k in (-1, 0, 1))
    peak = (here >= left) & (here >= right)
    bend = np.minimum(left - 2 * here + right, -1e-9)
    shift = np.where(peak, np.clip(0.5 * (left - right) / bend, -0.5, 0.5), 0.0)
    height = here - 0.25 * (left - right) * shift
    judged = np.where(peak, height - _OCTAVE_COST * np.log2(lags / _SHORTEST_LAG), -1.0)
    best, rows = judged.argmax(axis=1), np.arange(len(correlation))
    return lags[best] + shift[rows, best], height[rows, best]


def _without_leaps(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(hertz) < 5:
        return hertz
    usual = medfilt(hertz, 5)
    keep = (hertz > 0) & (np.abs(hertz - usual) <= _LEAP * np.maximum(usual, 1.0))
    return np.where(keep, hertz, 0.0)


@lru_cache(maxsize=1)
def _window_correlation() -> NDArray[np.float64]:
    """(`_LONGEST_LAG` + 2,) normalised autocorrelation of the window."""
    power = np.abs(np.fft.rfft(np.hanning(FRAME), _N_FFT)) ** 2
    correlation = np.fft.irfft(power)[: _LONGEST_LAG + 2]
    return np.asarray(correlation / correlation[0])
