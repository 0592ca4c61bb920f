"""Decoded sound frames of any sample format as float arrays."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

Samples = NDArray[np.float32]

# PyAV 18 reads past the end of the plane list of planar frames with this many channels and more.
_SAFE_PLANES = 7


class SampleReader:
    """Reads every frame of a stream at the rate and channels of its first one.

    Attributes:
        rate_hz: samples a second of what `read` returns.
        channels: number of its rows.
    """

    def __init__(self, first: AudioFrame) -> None:
        self.rate_hz, self.channels = first.sample_rate, first.layout.nb_channels
        self._layout = first.layout.name

    def read(self, frame: AudioFrame) -> Samples:
        """(C, S) float32, full scale 1; may hold NaN and infinities."""
        if (frame.sample_rate, frame.layout.nb_channels) != (self.rate_hz, self.channels):
            parts = self._as_first(frame)
        elif frame.format.is_planar and self.channels > _SAFE_PLANES:
            # Into the frame's own layout: a damaged frame may tell another one.
            layout, rate_hz = frame.layout.name, frame.sample_rate
            parts = av.AudioResampler(format="flt", layout=layout, rate=rate_hz).resample(frame)
        else:
            parts = [frame]
        empty = np.zeros((self.channels, 0), np.float32)
        return np.concatenate([empty, *(_to_float(part) for part in parts)], axis=1)

    def _as_first(self, frame: AudioFrame) -> list[AudioFrame]:
        """A stream that changes its rate or channels on the way keeps those it began with."""
        resampler = av.AudioResampler(format="flt", layout=self._layout, rate=self.rate_hz)
        return [*resampler.resample(frame), *resampler.resample(None)]


def _to_float(frame: AudioFrame) -> Samples:
    data: NDArray[Any] = frame.to_ndarray()
    if not frame.format.is_planar:
        data = data.reshape(-1, frame.layout.nb_channels).T
    if data.dtype == np.uint8:
        return (data.astype(np.float32) - np.float32(128)) / np.float32(128)
    if np.issubdtype(data.dtype, np.integer):
        scale = 2.0 ** (8 * data.dtype.itemsize - 1)
        return (data.astype(np.float64) / scale).astype(np.float32)
    with np.errstate(over="ignore"):
        return data.astype(np.float32)
