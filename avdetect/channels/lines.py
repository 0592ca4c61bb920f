"""What lines and apps do to a waveform on its way: other sampling rates, automatic gain."""

from __future__ import annotations

from math import gcd

import numpy as np
from scipy.signal import resample_poly

from avdetect.channels.codecs import Waveform, fit_length
from avdetect.timebase import SAMPLE_RATE_HZ

_GAIN_STEP_S = 0.005
_FLOOR_DBFS = -60.0  # what is softer counts as pause: the gain stays where it is


def resample_through(waveform: Waveform, rates_hz: tuple[int, ...]) -> Waveform:
    """Resample from rate to rate and back to 16 kHz; the clock is kept (linear phase).

    Args:
        waveform: (S,) float32 at 16 kHz.
        rates_hz: where it passes through, such as ``(11_025,)`` or ``(22_050, 8_000)``.
    """
    samples, from_hz = waveform.astype(np.float64), SAMPLE_RATE_HZ
    for to_hz in (*rates_hz, SAMPLE_RATE_HZ):
        common = gcd(from_hz, to_hz)
        samples, from_hz = resample_poly(samples, to_hz // common, from_hz // common), to_hz
    return fit_length(np.asarray(samples, np.float32), len(waveform))


def automatic_gain(
    waveform: Waveform, target_dbfs: float, attack_s: float = 0.01, release_s: float = 0.3
) -> Waveform:
    """Automatic gain control as in phones and meeting apps: every passage comes out about as loud.

    A feed-forward design with smoothed gain (Giannoulis, Massberg & Reiss 2012): the level over
    5 ms, gain falling with ``attack_s`` and rising with ``release_s``, at most 24 dB up, none in
    pauses. Samples beyond full scale are clipped.

    Args:
        waveform: (S,) float32 at 16 kHz.
        target_dbfs: RMS level it works towards.
        attack_s: time constant of a falling gain.
        release_s: time constant of a rising gain.
    """
    step = round(_GAIN_STEP_S * SAMPLE_RATE_HZ)
    padded = fit_length(waveform, -(-len(waveform) // step) * step).astype(np.float64)
    levels_db = 10 * np.log10(np.mean(padded.reshape(-1, step) ** 2, axis=1) + 1e-12)
    falling, rising = (np.exp(-_GAIN_STEP_S / s) for s in (attack_s, release_s))
    gain_db, gains_db = 0.0, np.zeros(len(levels_db))
    for index, level_db in enumerate(levels_db):
        if level_db > _FLOOR_DBFS:
            wanted_db = min(target_dbfs - level_db, 24.0)
            keep = falling if wanted_db < gain_db else rising
            gain_db = keep * gain_db + (1 - keep) * wanted_db
        gains_db[index] = gain_db
    centres = (np.arange(len(levels_db)) + 0.5) * step
    smooth_db = np.interp(np.arange(len(waveform)), centres, gains_db) if len(gains_db) else 0.0
    louder = np.clip(waveform * 10 ** (smooth_db / 20), -1.0, 1.0)
    return np.asarray(louder, np.float32)
