"""Concealment of lost packets by pitch waveform replication, after ITU-T G.711 Appendix I (1999).

While frames of 10 ms are missing, the last pitch cycles before the loss are repeated: one cycle in
the first frame, two in the second, three from the third on, so that a long loss does not hum. From
the second frame on the level falls by 20 % a frame; after 60 ms there is silence. Every seam is an
overlap-add of a quarter of a pitch period (at most 3.75 ms); that back into good speech grows by
4 ms for every further lost frame, up to 10 ms.

The standard works at 8 kHz. At 16 kHz all its constants are doubled, so they stay the same in
milliseconds; that is our extension. Two further differences: every lag is searched (the standard
tries every second one first, to save operations), and its 3.75 ms of delay, which it needs to
blend into a loss that it cannot foresee, is taken back: the clock is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.channels.codecs import Waveform

CONCEALED_RATES_HZ = (8_000, 16_000)
_FALL_A_FRAME = 0.2
_SILENT_FROM = 6  # frames: 60 ms
_MOST_CYCLES = 3
# 250 squared 16-bit steps: under it the correlation is of noise, and is not blown up.
_LEAST_POWER = 250 / 32_768**2

_Samples = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Constants:
    """Lengths in samples; those of the standard times ``rate_hz`` / 8000."""

    scale: int

    @property
    def frame(self) -> int:
        """10 ms."""
        return 80 * self.scale

    @property
    def shortest_pitch(self) -> int:
        """5 ms: 200 Hz."""
        return 40 * self.scale

    @property
    def longest_pitch(self) -> int:
        """15 ms: 66 Hz."""
        return 120 * self.scale

    @property
    def correlated(self) -> int:
        """20 ms."""
        return 160 * self.scale

    @property
    def growth(self) -> int:
        """4 ms: what the overlap at the end of a loss gains with every further lost frame."""
        return 32 * self.scale

    @property
    def history(self) -> int:
        """Three of the longest cycles and a quarter: 48.75 ms."""
        return 390 * self.scale


def conceal(waveform: Waveform, lost: NDArray[np.bool_], rate_hz: int = 8_000) -> Waveform:
    """Fill lost frames from the speech before them.

    Outside lost frames only the last 3.75 ms before a loss and the first 10 ms after it may change;
    all else comes back bit for bit. What the lost frames held is never looked at.

    Args:
        waveform: (S,) float32 in [-1, 1], as decoded.
        lost: (P,) one flag for every 10 ms; samples behind the last flag arrive.
        rate_hz: 8000, or 16000 with doubled constants.

    Returns:
        (S,) float32 on the same clock.

    Raises:
        ValueError: another rate.
    """
    if rate_hz not in CONCEALED_RATES_HZ:
        raise ValueError(f"rate_hz is {rate_hz}: want one of {CONCEALED_RATES_HZ}")
    constants = _Constants(rate_hz // 8_000)
    out = waveform.astype(np.float64)
    n_frames = min(len(lost), -(-len(out) // constants.frame))
    edges = np.diff(np.concatenate([[0], lost[:n_frames].astype(np.int8), [0]]))
    for first, last in zip(np.flatnonzero(edges > 0), np.flatnonzero(edges < 0), strict=True):
        _bridge(out, int(first), int(last), constants)
    return out.astype(np.float32)


def _bridge(out: _Samples, first: int, last: int, constants: _Constants) -> None:
    """Fill frames ``first`` to ``last`` - 1 of ``out`` and blend into what stands around them."""
    start = first * constants.frame
    before = out[max(0, start - constants.history) : start]
    history = np.concatenate([np.zeros(constants.history - len(before)), before])
    cycles = _Cycles(history, constants)
    blended = min(cycles.overlap, start)
    if blended:
        out[start - blended : start] = cycles.tail[-blended:]
    for number in range(last - first):
        at = start + number * constants.frame
        frame = _lost_frame(cycles, number, constants.frame)
        out[at : at + constants.frame] = frame[: max(0, len(out) - at)]
    n_lost, end = last - first, last * constants.frame
    overlap = min(cycles.overlap + (n_lost - 1) * constants.growth, constants.frame)
    good = out[end : end + overlap]
    gain = max(0.0, 1.0 - (n_lost - 1) * _FALL_A_FRAME)
    good[:] = _cross_fade(cycles.read(overlap) * gain, good.copy())


def _lost_frame(cycles: _Cycles, number: int, size: int) -> _Samples:
    if number >= _SILENT_FROM:
        return np.zeros(size)
    if number == 0:
        return cycles.read(size)
    if number < _MOST_CYCLES:
        going_on = cycles.peek(cycles.overlap)
        cycles.lengthen()
        frame = cycles.read(size)
        frame[: cycles.overlap] = _cross_fade(going_on, frame[: cycles.overlap])
    else:
        frame = cycles.read(size)
    fallen = number - 1 + np.arange(size) / size
    return np.asarray(frame * (1.0 - _FALL_A_FRAME * fallen), np.float64)


class _Cycles:
    """The last pitch cycles before a loss, read round and round without a seam."""

    def __init__(self, history: _Samples, constants: _Constants) -> None:
        self._history = history
        self._period = _pitch_period(history, constants)
        self.overlap = self._period // 4
        self._n_cycles, self._offset = 0, 0
        self.lengthen()

    @property
    def tail(self) -> _Samples:
        """The last quarter of a period, on its way to where the cycles begin."""
        return self._buffer[-self.overlap :]

    def lengthen(self) -> None:
        """One cycle more, from further back; reading goes on at the same phase."""
        self._n_cycles += 1
        while self._offset > self._period:  # one whole period stays
            self._offset -= self._period
        size = self._n_cycles * self._period
        self._buffer = self._history[-size:].copy()
        lead_in = self._history[-size - self.overlap : -size]
        self._buffer[-self.overlap :] = _cross_fade(self._history[-self.overlap :], lead_in)

    def peek(self, size: int) -> _Samples:
        """The next ``size`` samples, without going on."""
        return np.take(self._buffer, np.arange(self._offset, self._offset + size), mode="wrap")

    def read(self, size: int) -> _Samples:
        """The next ``size`` samples."""
        samples = self.peek(size)
        self._offset = (self._offset + size) % len(self._buffer)
        return samples


def _pitch_period(history: _Samples, constants: _Constants) -> int:
    """Lag at which the last 20 ms resemble what was before most, by normalised correlation."""
    recent = history[-constants.correlated :]
    reach = history[-constants.correlated - constants.longest_pitch : -constants.shortest_pitch]
    earlier = np.lib.stride_tricks.sliding_window_view(reach, constants.correlated)
    power = np.maximum(np.sum(earlier**2, axis=1), _LEAST_POWER)
    likeness = (earlier @ recent) / np.sqrt(power)
    # Of equal lags the shortest: the last row.
    return constants.shortest_pitch + int(np.argmax(likeness[::-1]))


def _cross_fade(falling: _Samples, rising: _Samples) -> _Samples:
    """Triangular overlap-add; a ``rising`` cut short by the end of the clip is as long as it is."""
    weight = (np.arange(len(falling)) + 1) / max(len(falling), 1)
    size = min(len(falling), len(rising))
    return np.asarray(falling[:size] * (1 - weight[:size]) + rising[:size] * weight[:size])
