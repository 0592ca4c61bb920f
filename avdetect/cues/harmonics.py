"""Phases of the harmonics of voiced speech: what vocoders redraw without knowing them.

Every measure is free of where a frame begins and of the recording's level, and uses nothing above
3400 Hz, so that a telephone line leaves it standing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from avdetect.cues.pitch import FRAME, PitchTrack
from avdetect.timebase import SAMPLE_RATE_HZ

BAND_EDGES_HZ = (300.0, 1000.0, 2000.0, 3400.0)
N_BANDS = len(BAND_EDGES_HZ) - 1
MEASURES = ("frequency_deviation", "delay_deviation", "shift_stability", "phase_bend")
_N_FFT = 4096
_MOST_HARMONICS = 40
_LEAST_IN_BAND = 2  # harmonics, for a deviation among them


@dataclass(frozen=True, slots=True)
class Harmonics:
    """Harmonics of N voiced frames, K of each.

    Attributes:
        hertz: (N, K) their frequencies, multiples of the pitch.
        phase: (N, K) radians at the frame's centre.
        frequency: (N, K) instantaneous frequency less ``hertz``, as a share of the pitch.
        delay_s: (N, K) group delay against the frame's centre.
    """

    hertz: NDArray[np.float64]
    phase: NDArray[np.float64]
    frequency: NDArray[np.float64]
    delay_s: NDArray[np.float64]

    def bands(self) -> NDArray[np.bool_]:
        """(`N_BANDS`, N, K) which harmonics lie in which band."""
        edges = pairwise(BAND_EDGES_HZ)
        return np.stack([(self.hertz >= low) & (self.hertz < high) for low, high in edges])


def harmonics_of(frames: NDArray[np.floating], pitch_hz: NDArray[np.float64]) -> Harmonics:
    """Phase, instantaneous frequency and group delay at the harmonics.

    By reassignment: spectra with the window, its slope and the window weighted by time (Auger &
    Flandrin 1995).

    Args:
        frames: (N, `FRAME`) at 16 kHz.
        pitch_hz: (N,) above 0.
    """
    n_harmonics = min(_MOST_HARMONICS, int(BAND_EDGES_HZ[-1] / pitch_hz.min()))
    hertz = pitch_hz[:, None] * np.arange(1, n_harmonics + 1)
    bins = np.minimum(np.round(hertz * _N_FFT / SAMPLE_RATE_HZ).astype(int), _N_FFT // 2)
    plain, slope, ramp = (
        np.take_along_axis(np.fft.rfft(frames * window, _N_FFT, axis=1), bins, axis=1)
        for window in _windows()
    )
    power = np.abs(plain) ** 2 + 1e-12
    bin_hz = bins * SAMPLE_RATE_HZ / _N_FFT
    turn = -np.imag(slope * plain.conj()) / power  # radians a sample
    instant_hz = bin_hz + turn * SAMPLE_RATE_HZ / (2 * np.pi)
    centred = plain * np.exp(2j * np.pi * bins * (FRAME / 2) / _N_FFT)
    # The nearest bin is not the harmonic itself: walk the rest of the way along the group delay.
    delay_s = np.real(ramp * plain.conj()) / power / SAMPLE_RATE_HZ
    delay_s = np.clip(delay_s, -FRAME / SAMPLE_RATE_HZ, FRAME / SAMPLE_RATE_HZ)
    return Harmonics(
        hertz=hertz,
        phase=np.angle(centred) - 2 * np.pi * (hertz - bin_hz) * delay_s,
        frequency=np.clip((instant_hz - hertz) / pitch_hz[:, None], -1.0, 1.0),
        delay_s=delay_s,
    )


def phase_measures(
    frames: NDArray[np.floating], track: PitchTrack, run: slice
) -> NDArray[np.float64]:
    """What the phases of one voiced run do.

    Args:
        frames: (N, `FRAME`) of the whole stretch.
        track: their pitch.
        run: voiced frames in a row, at least two.

    Returns:
        (4 * `N_BANDS`,) means over the run, measure by measure as in `MEASURES`, bands within:
        log deviation of instantaneous frequencies from the harmonics; log deviation of group
        delays in ms; how steady the relative phase shifts (Saratxaga et al. 2009) stay from frame
        to frame, 0..1; cosine of the bend of phase over neighbouring harmonics, -1..1.
    """
    found = harmonics_of(frames[run], track.hertz[run])
    bands = found.bands()
    number = np.arange(1, found.hertz.shape[1] + 1)
    shift = found.phase - number * found.phase[:, :1]
    steady = np.cos(np.diff(shift, axis=0))
    bend = np.full(found.phase.shape, np.nan)
    bend[:, 1:-1] = np.cos(np.diff(found.phase, 2, axis=1))
    measures = [
        [_log_deviation(found.frequency, band, 1e-3) for band in bands],
        [_log_deviation(found.delay_s * 1000.0, band, 1e-2) for band in bands],
        [_mean(steady, band[1:]) for band in bands],
        [_mean(bend, band) for band in bands],
    ]
    return np.array(measures, np.float64).ravel()


def _log_deviation(values: NDArray[np.float64], band: NDArray[np.bool_], floor: float) -> float:
    count = band.sum(axis=1)
    enough = count >= _LEAST_IN_BAND
    if not enough.any():
        return float("nan")
    share = np.where(band, 1.0, 0.0)[enough] / count[enough, None]
    mean = (values[enough] * share).sum(axis=1, keepdims=True)
    deviation = np.sqrt(((values[enough] - mean) ** 2 * share).sum(axis=1))
    return float(np.log(deviation + floor).mean())


def _mean(values: NDArray[np.float64], band: NDArray[np.bool_]) -> float:
    chosen = values[band & np.isfinite(values)]
    return float(chosen.mean()) if len(chosen) else float("nan")


@lru_cache(maxsize=1)
def _windows() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Hann window, its slope a sample, and the window weighted by samples from the centre."""
    at = np.arange(FRAME) + 0.5
    window = 0.5 - 0.5 * np.cos(2 * np.pi * at / FRAME)
    slope = np.pi / FRAME * np.sin(2 * np.pi * at / FRAME)
    return window, slope, window * (at - FRAME / 2)
