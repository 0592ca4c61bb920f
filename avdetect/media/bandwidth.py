"""How far up the spectrum a recording really reaches, whatever its sample rate says.

A telephone call stored at 48 kHz still ends below 4 kHz; that is evidence, and it bounds what the
voice branch can have heard.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FRAME_S = 0.032
_ACTIVE_DB = 35.0  # frames this far below the loudest are pauses and say nothing
_REACH_DB = 60.0  # 16-bit noise lies lower, the fricatives of any speech higher
# A codec or a resampler cuts by this much within the guard band; speech never falls so fast.
_CLIFF_DB, _CLIFF_FROM_HZ, _CLIFF_GUARD_HZ = 25.0, 2000.0, 400.0
_SMOOTH_HZ = 100.0


def effective_bandwidth_hz(native: NDArray[np.floating], rate_hz: int) -> float | None:
    """Frequency below which the signal lives, from its long-term spectrum.

    The spectrum is the 95th percentile over the frames that are not pauses, so that a few
    fricatives suffice. It ends where it falls 60 dB below its peak for good, or earlier at a
    cliff: 25 dB lost for good within 400 Hz.

    Args:
        native: (S,) samples at the native rate; some seconds of speech for a sound answer.
        rate_hz: samples a second.

    Returns:
        Hertz, at most half of ``rate_hz``; None in digital silence or below two frames of sound.
    """
    levels = _long_term_levels_db(np.asarray(native, np.float64), rate_hz)
    if levels is None:
        return None
    bin_hz = rate_hz / 2 / (len(levels) - 1)
    loudest_above = np.maximum.accumulate(levels[::-1])[::-1]
    edge = int(np.flatnonzero(loudest_above > levels.max() - _REACH_DB)[-1])
    guard = max(1, round(_CLIFF_GUARD_HZ / bin_hz))
    first = round(_CLIFF_FROM_HZ / bin_hz)
    bins = np.arange(max(first, guard), min(edge, len(levels) - guard))
    if not len(bins):
        return float(edge * bin_hz)
    usual = np.median(np.lib.stride_tricks.sliding_window_view(levels, guard + 1), axis=1)
    here = usual[bins - guard]  # over the guard band below each bin
    cliffs = np.flatnonzero(here - loudest_above[bins + guard] > _CLIFF_DB)
    if not len(cliffs):
        return float(edge * bin_hz)
    k, top = int(bins[cliffs[0]]), here[cliffs[0]]
    # The edge is where the cliff has lost half of its height.
    still = np.flatnonzero(levels[k : k + guard + 1] > top - _CLIFF_DB / 2)
    return float((k + (int(still[-1]) if len(still) else 0)) * bin_hz)


def _long_term_levels_db(samples: NDArray[np.float64], rate_hz: int) -> NDArray[np.float64] | None:
    """(F,) level of each frequency bin from 0 to half the rate, dB; None without sound."""
    size = max(16, round(_FRAME_S * rate_hz))
    n_frames = (len(samples) - size) // (size // 2) + 1
    if n_frames < 2 or not np.any(samples):
        return None
    windows = np.lib.stride_tricks.sliding_window_view(samples, size)[:: size // 2]
    energy = (windows**2).mean(axis=1)
    if energy.max() <= 0:  # the only sound lies in a tail shorter than a frame
        return None
    windows = windows[energy > energy.max() * 10 ** (-_ACTIVE_DB / 10)]
    power = np.abs(np.fft.rfft(windows * np.hanning(size), axis=1)) ** 2
    level = np.percentile(power, 95, axis=0)
    if level.max() <= 0:  # a click on the window's very edge
        return None
    width = max(1, round(_SMOOTH_HZ / (rate_hz / size)))
    level = np.convolve(level, np.ones(width) / width, mode="same")
    return np.asarray(10 * np.log10(level + level.max() * 1e-20), np.float64)
