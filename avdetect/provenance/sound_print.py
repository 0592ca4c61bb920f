"""What a sound channel sounds like, so coarsely that only its content counts, not its codec.

After Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System" (ISMIR 2002): differences of
the energy between neighbouring bands and between neighbouring moments, of which a seal keeps the
sign, or that there is hardly any. Unlike theirs, windows are short, so that an edit is found within
a few hundredths of a second, and the file under test is read at twice the sealed density, so that
no more than 5 ms of misalignment is left.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from avdetect.timebase import SAMPLE_RATE_HZ

HOP_S = 0.01  # of the file under test
SEALED_EVERY = 2  # a seal keeps every second hop
N_FEATURES = 32

_HOP = round(HOP_S * SAMPLE_RATE_HZ)
_WINDOW = 1024  # 64 ms
_LAG_HOPS = 4  # 40 ms, about half a phone
_EDGES_HZ = np.geomspace(220.0, 3400.0, 18)  # 17 bands that even a telephone carries
_SCALE_DB = 6.0
DEAD_ZONE = 0.5  # of the scale: less is no sign at all
_DYNAMIC_RANGE_DB = 40.0  # below the loudest it is noise, which codecs do not keep
_SILENCE_DB = -75.0

Levels = NDArray[np.float32]


class BandReader:
    """Streaming band levels of one channel at `HOP_S`; frame k is centred on k hops."""

    def __init__(self) -> None:
        self._tail = np.zeros(_WINDOW // 2, np.float32)
        self._rows: list[NDArray[np.float16]] = []
        self._hann = np.hanning(_WINDOW).astype(np.float32)
        self._bands = _band_matrix()

    def feed(self, waveform: NDArray[np.float32]) -> None:
        """Take (S,) float32 at 16 kHz."""
        samples = np.concatenate([self._tail, waveform])
        n_frames = max(0, (len(samples) - _WINDOW) // _HOP + 1)
        if n_frames:
            view = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)
            frames = view[: (n_frames - 1) * _HOP + 1 : _HOP] * self._hann
            power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 / (self._hann**2).sum() / _WINDOW
            level = 10 * np.log10(power @ self._bands + 10 ** (_SILENCE_DB / 10))
            self._rows.append(level.astype(np.float16))
        self._tail = samples[n_frames * _HOP :]

    def finish(self) -> Levels:
        """(F, 17) float32 dB of everything fed."""
        self.feed(np.zeros(_WINDOW // 2, np.float32))
        if not self._rows:
            return np.zeros((0, len(_EDGES_HZ) - 1), np.float32)
        return np.concatenate(self._rows).astype(np.float32)


def _band_matrix() -> NDArray[np.float32]:
    hz = np.fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE_HZ)
    rows = [(hz >= low) & (hz < high) for low, high in pairwise(_EDGES_HZ)]
    return np.array(rows, np.float32).T


def noise_floor_db(levels: Levels) -> float:
    """Level below which differences are taken for noise: a fixed distance below the loud parts."""
    if not levels.size:
        return _SILENCE_DB
    loud = float(np.percentile(levels.max(axis=1), 95))
    return max(_SILENCE_DB + 3.0, loud - _DYNAMIC_RANGE_DB)


def features(levels: Levels, floor_db: float) -> NDArray[np.float32]:
    """(F, `N_FEATURES`) float32 in [-1, 1]: differences over bands, then over time."""
    raised = 10 * np.log10(10 ** (levels / 10) + 10 ** (floor_db / 10))
    tilt = raised[:, :-1] - raised[:, 1:]
    if len(raised):
        padded = np.pad(raised, ((_LAG_HOPS, _LAG_HOPS), (0, 0)), mode="edge")
        onset = (padded[2 * _LAG_HOPS :] - padded[: -2 * _LAG_HOPS])[:, :-1]
    else:
        onset = raised[:, :-1]
    both = np.concatenate([tilt, onset], axis=1) / _SCALE_DB
    return np.clip(both, -1.0, 1.0).astype(np.float32)


def symbols(measured: NDArray[np.float32]) -> NDArray[np.int8]:
    """(F, `N_FEATURES`) of -1, 0, 1: what a seal keeps of `features`, at the sealed density."""
    kept = measured[::SEALED_EVERY]
    return np.where(np.abs(kept) < DEAD_ZONE, 0, np.sign(kept)).astype(np.int8)


def pack(kept: NDArray[np.int8]) -> NDArray[np.uint8]:
    """(F, K) of -1, 0, 1 to (F, K / 4) bytes, four symbols each; K is a multiple of four."""
    two_bits = (kept + 1).astype(np.uint8).reshape(len(kept), -1, 4)
    shifts = np.array([0, 2, 4, 6], np.uint8)
    return np.asarray(np.bitwise_or.reduce(two_bits << shifts, axis=2), np.uint8)


def unpack(packed: NDArray[np.uint8]) -> NDArray[np.int8]:
    """(F, B) to (F, 4 B): what `pack` packed; a value that is no symbol becomes 0."""
    shifts = np.array([0, 2, 4, 6], np.uint8)
    two_bits = (packed[:, :, None] >> shifts & 3).reshape(len(packed), -1)
    return np.where(two_bits == 3, 0, two_bits.astype(np.int8) - 1).astype(np.int8)
