"""Keep a twin out of the bands that its original leaves empty.

Vocoders put sound below a recording's high-pass and above its codec's cut-off; a network would
learn that, and it tells recordings apart, not forgeries.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import welch

from avdetect.timebase import SAMPLE_RATE_HZ
from recipes.forge.pitch import Samples

_N_FFT = 1_024
_EMPTY_DB = 40.0  # this far under the loudest frequency


def limit_band(twin: Samples, original: Samples) -> Samples:
    """Turn down what is louder than the original where that is empty; zero phase, (S,) to (S,)."""
    hz, had = welch(original, SAMPLE_RATE_HZ, nperseg=min(_N_FFT, len(original)), detrend=False)
    _, has = welch(twin, SAMPLE_RATE_HZ, nperseg=min(_N_FFT, len(twin)), detrend=False)
    empty = had < had.max() * 10 ** (-_EMPTY_DB / 10)
    gains_db = np.where(empty, 10 * np.log10((had + 1e-20) / (has + 1e-20)), 0.0).clip(-60.0, 0.0)
    spectrum = np.fft.rfft(twin)
    fine_hz = np.fft.rfftfreq(len(twin), 1 / SAMPLE_RATE_HZ)
    spectrum *= 10 ** (np.interp(fine_hz, hz, gains_db) / 20)
    return np.asarray(np.fft.irfft(spectrum, len(twin)), np.float64)
