"""Numbers in which codecs leave traces: bands they cut, noise they add, holes, grids and lattices.

Cut bands and the noise that follows the voice (companding) stay through a second codec; holes are
what transform codecs leave where they spend no bits; grids are the frames of speech codecs;
lattices are the steps of G.711, if nothing came after it (Hicsonmez et al. 2011; Luo et al. 2014).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from avdetect.channels.codecs import resample
from avdetect.timebase import SAMPLE_RATE_HZ

_FRAME, _HOP = 512, 256
_N_BANDS = 64  # of 125 Hz
_WIDE = 4  # bands together, where less detail tells enough
_N_WIDE = _N_BANDS // _WIDE
_ACTIVE_DB = 40.0
_FLOOR_DB = -110.0
_PERCENTILES = (10, 50, 95)
_HOLE_DB = 25.0
_HOLE_REACH = 8  # bins to either side
_GRID_BANDS_HZ = ((300.0, 1500.0), (1500.0, 3400.0))
_GRIDS_HZ = (50.0, 100.0, 150.0, 200.0)  # frames of 20 ms to subframes of 5 ms
_N_SLOPES = 8
_LEAST_FRAMES = 40

_VALLEY_BINS = 8  # 250 Hz: a harmonic and the valley beside it
_N_VALLEYS = _FRAME // 2 // _VALLEY_BINS
_LOUD, _MIDDLE = (70, 100), (35, 70)  # per cent of the active frames, from the softest

N_TRACES = (
    len(_PERCENTILES) * _N_BANDS
    + 2 * _N_VALLEYS
    + 3 * _N_WIDE
    + 2 * _N_SLOPES
    + 2 * len(_GRIDS_HZ)
    + 4
)
LATTICES = slice(N_TRACES - 4, N_TRACES - 2)  # distance from the steps of µ-law and of A-law

Reals = NDArray[np.float64]


def codec_traces(waveform: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Traces in a stretch of one to four seconds.

    Args:
        waveform: (S,) float32 in [-1, 1] at 16 kHz.

    Returns:
        (`N_TRACES`,) float32, or None where too little is heard.
    """
    samples = waveform.astype(np.float64)
    if len(samples) < _FRAME:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP]
    power = np.abs(np.fft.rfft(windows * np.hanning(_FRAME), axis=1)) ** 2 / (_FRAME / 4) ** 2
    power = power[:, : _FRAME // 2]
    level_db = _db(power.sum(axis=1))
    active = level_db > max(level_db.max() - _ACTIVE_DB, -75.0)
    if active.sum() < _LEAST_FRAMES:
        return None
    bands = _db(power.reshape(len(power), _N_BANDS, -1).sum(axis=2))
    loudness_db = float(np.percentile(level_db, 95))
    quiet = bands[level_db <= np.percentile(level_db, 10)]
    numbers = [
        (np.percentile(bands[active], _PERCENTILES, axis=0) - loudness_db).ravel(),
        np.clip(quiet.mean(axis=0), -105, None).reshape(_N_WIDE, _WIDE).mean(axis=1),
        *_valleys(power[active], level_db[active]),
        *_holes(power[active]),
        *_slopes(bands[active], level_db[active]),
        *_grids(samples),
        _lattices(waveform),
    ]
    return np.concatenate(numbers).astype(np.float32)


def _db(power: Reals) -> Reals:
    return np.asarray(10 * np.log10(power + 10 ** (_FLOOR_DB / 10)))


def _valleys(power: Reals, level_db: Reals) -> list[Reals]:
    """Level of the softest bins in each 250 Hz of loud, and of middling, frames against the frame.

    Companding fills the valleys between harmonics with noise that follows the voice.
    """
    softest = np.sort(power.reshape(len(power), _N_VALLEYS, _VALLEY_BINS), axis=2)[:, :, 1]
    depth = np.clip(_db(softest) - level_db[:, None], -100, 0)
    found = []
    for low, high in (_LOUD, _MIDDLE):
        edges = np.percentile(level_db, (low, high))
        found.append(depth[(level_db >= edges[0]) & (level_db <= edges[1])].mean(axis=0))
    return found


def _holes(power: Reals) -> tuple[Reals, Reals]:
    """(`_N_WIDE`,) share of bins far below their neighbours, and log deviation of bins, by band."""
    level = _db(power)
    width = 2 * _HOLE_REACH + 1
    padded = np.pad(power, ((0, 0), (_HOLE_REACH, _HOLE_REACH)), mode="edge")
    summed = np.cumsum(np.pad(padded, ((0, 0), (1, 0))), axis=1)
    around = _db(np.maximum(summed[:, width:] - summed[:, :-width], 0.0) / width)
    below = around - level
    grouped = below.reshape(len(below), _N_WIDE, -1)
    return (grouped > _HOLE_DB).mean(axis=(0, 2)) * 20.0, grouped.std(axis=2).mean(axis=0)


def _slopes(bands: Reals, level_db: Reals) -> tuple[Reals, Reals]:
    """How a band's level follows the voice's, and how far it strays from that line."""
    wide = bands.reshape(len(bands), _N_SLOPES, -1).mean(axis=2)
    centred = level_db - level_db.mean()
    slope = centred @ (wide - wide.mean(axis=0)) / max(float(centred @ centred), 1e-6)
    rest = wide - wide.mean(axis=0) - centred[:, None] * slope
    return slope, rest.std(axis=0)


def _grids(samples: Reals) -> list[Reals]:
    """Decibels by which each band's envelope beats at frame rates, over their surroundings."""
    size = next_fast_len(len(samples), real=True)
    spectrum = np.asarray(rfft(samples, size))
    hertz = np.arange(len(spectrum)) * SAMPLE_RATE_HZ / size
    bin_hz = SAMPLE_RATE_HZ / size
    reach = round(8.0 / bin_hz)
    found = []
    for low_hz, high_hz in _GRID_BANDS_HZ:
        band = np.where((hertz < low_hz) | (hertz > high_hz), 0.0, spectrum)
        change = np.abs(np.diff(np.log(np.abs(irfft(band, size)) + 1e-4), prepend=0.0))
        beat = np.abs(rfft((change - change.mean()) * np.hanning(size))) ** 2
        centres = [round(grid_hz / bin_hz) for grid_hz in _GRIDS_HZ]
        peaks = np.array([beat[c - 1 : c + 2].max() for c in centres])
        around = np.array([np.median(beat[c - reach : c + reach + 1]) for c in centres])
        found.append(np.asarray(10 * np.log10((peaks + 1e-12) / (around + 1e-12))))
    return found


def _lattices(waveform: NDArray[np.float32]) -> Reals:
    """How far samples at 8 kHz lie from the steps of µ-law and A-law: 0 on them, 1 at random.

    Beside them the share of samples that are nought, and of those at A-law's smallest step.
    """
    narrow = resample(waveform, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ // 2).astype(np.float64) * 32768
    size = np.abs(narrow)
    loud = size > 400.0
    if loud.sum() < 200:
        return np.array([1.0, 1.0, float((size < 0.6).mean()), 0.0])
    away = []
    for steps in _g711_steps():
        after = np.clip(np.searchsorted(steps, size[loud]), 1, len(steps) - 1)
        low, high = steps[after - 1], steps[after]
        nearest = np.minimum(np.abs(size[loud] - low), np.abs(high - size[loud]))
        away.append(float(np.median(nearest / (high - low))) * 4.0)
    return np.array([*away, float((size < 0.6).mean()), float((np.abs(size - 8) < 1.0).mean())])


@lru_cache(maxsize=1)
def _g711_steps() -> tuple[Reals, Reals]:
    """Positive output levels of µ-law and A-law in 16 bits (ITU-T G.711, tables 1 and 2)."""
    code = np.arange(128)
    exponent, mantissa = code >> 4, code & 15
    mu_law = ((2 * mantissa + 33) << exponent) - 33
    a_law = np.where(
        exponent == 0, 2 * mantissa + 1, (2 * mantissa + 33) << np.maximum(exponent - 1, 0)
    )
    return mu_law.astype(np.float64) * 4.0, a_law.astype(np.float64) * 8.0
