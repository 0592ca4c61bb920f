"""Correlation of two movements over time lags, the same for short stretches and for long ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from avdetect.cues.base import CueCurve
from avdetect.timebase import FRAME_RATE_HZ
from avdetect.types import Part

WINDOW_S, HOP_S = 4.0, 2.0
MOST_LAG = 10  # pictures: a head nods within 0.4 s of what it says
_BAND = butter(2, [0.4, 6.0], "bandpass", fs=FRAME_RATE_HZ, output="sos")

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Coupling:
    """Mean absolute correlation at each lag, and what it comes to.

    Attributes:
        lags_s: (2 `MOST_LAG` + 1,) seconds by which the second is later.
        curve: the same, 0..1.
        peak: highest of the curve.
        contrast: how far the peak stands above the curve's median.
        lag_s: where the peak is.
    """

    lags_s: Array
    curve: Array
    peak: float
    contrast: float
    lag_s: float

    def drawn(self, part: Part, *, later: str, of: str, caption: str) -> CueCurve:
        """Correlation over lags, with a line at the peak.

        Args:
            part: the face.
            later: which movement is the later one at lags above 0, such as "lips later than the
                voice".
            of: the two movements.
            caption: one sentence.
        """
        return CueCurve(
            part=part,
            x=self.lags_s,
            y=self.curve,
            x_name=f"{later}, s",
            y_name=f"correlation of {of}, sign left out",
            marks=(self.lag_s,),
            caption=caption,
        )


def in_band(values: Array) -> Array:
    """(N,) or (N, K) at 25 Hz, 0.4 to 6 Hz: syllables and nods, neither posture nor trembling."""
    return np.asarray(sosfiltfilt(_BAND, values, axis=0))


def windows(n: int) -> Iterator[slice]:
    """Windows of `WINDOW_S` over ``n`` rows, so that a long clip's figures are a short one's."""
    span, hop = round(WINDOW_S * FRAME_RATE_HZ), round(HOP_S * FRAME_RATE_HZ)
    for start in range(0, n - span + 1, hop):
        yield slice(start, start + span)


def coupling(pairs: Iterable[tuple[Array, Array]]) -> Coupling:
    """How two movements go together, over pairs of windows of equal length.

    Raises:
        ValueError: without a pair.
    """
    curves = [np.abs(_lagged(first, second)) for first, second in pairs]
    if not curves:
        raise ValueError("no window to correlate")
    curve = np.mean(curves, axis=0)
    lags_s = np.arange(-MOST_LAG, MOST_LAG + 1) / FRAME_RATE_HZ
    best = int(curve.argmax())
    return Coupling(
        lags_s, curve, float(curve[best]), float(curve[best] - np.median(curve)), lags_s[best]
    )


def _lagged(first: Array, second: Array) -> Array:
    """(2 `MOST_LAG` + 1,) correlations of ``first[t]`` with ``second[t + lag]``."""
    inner = first[MOST_LAG:-MOST_LAG]
    shifted = np.lib.stride_tricks.sliding_window_view(second, len(inner))
    a = inner - inner.mean()
    b = shifted - shifted.mean(1, keepdims=True)
    scale = np.sqrt((a @ a) * (b * b).sum(1))
    return np.asarray((b @ a) / np.maximum(scale, 1e-12))
