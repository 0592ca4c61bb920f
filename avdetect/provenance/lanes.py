"""How well a moment of a recording under test agrees with a moment that was sealed.

A lane is one channel of sound or one picture track. Evidence is positive where the two agree,
negative where they differ, near zero where nothing can be told (silence); its unit is chosen per
lane so that about 10 make a second of clear agreement.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from avdetect.provenance import picture_print, sound_print
from avdetect.provenance.picture_print import Mosaic

Evidence = NDArray[np.float32]

CELL = 3  # blocks a side of what is compared on its own
_JITTER_TICKS = 2

_BLOCK = 1 << 15  # places of a file that are searched at once, to bound the memory

OUTSIDE = -1.0  # evidence of a moment that the recording does not have


class Lane(Protocol):
    """One lane, sealed and under test.

    Attributes:
        name: for people, such as ``sound, left channel``.
        n_sealed: sealed moments, ``sealed_hop_s`` apart.
        n_file: moments of the file under test, ``file_hop_s`` apart.
        step: file moments per sealed moment.
        chunk: sealed moments that are looked for together.
    """

    name: str
    n_sealed: int
    n_file: int
    step: int
    file_hop_s: float
    sealed_hop_s: float
    chunk: int

    def evidence(self, offset: int) -> Evidence:
        """(n_sealed,) agreement of sealed moment i with file moment ``step * i + offset``."""
        ...

    def search(self, start: int, end: int) -> list[int]:
        """Offsets at which the sealed moments ``start:end`` are found in the file, best first."""
        ...


class SoundLane:
    """Signs of a sealed channel against the differences measured in a file."""

    file_hop_s = sound_print.HOP_S
    step = sound_print.SEALED_EVERY
    sealed_hop_s = file_hop_s * step
    chunk = 100  # 2 s

    _TOLERANCE = 0.4  # what a sign has to be matched by to count for agreement
    _CALM = 0.008  # what calm on both sides counts
    _LOUD = 1.5  # weight of what exceeds the dead zone where calm was sealed
    _UNIT = 0.8
    _FOUND = 0.35  # of the evidence that perfect agreement would give

    def __init__(self, name: str, kept: NDArray[np.int8], measured: NDArray[np.float32]) -> None:
        self.name, self.n_sealed, self.n_file = name, len(kept), len(measured)
        self._kept = kept.astype(np.float32)
        self._calm = (kept == 0).astype(np.float32)
        n_active = (kept != 0).sum(axis=1)
        n_calm = kept.shape[1] - n_active
        self._constant = (self._CALM * n_calm - self._TOLERANCE * n_active).astype(np.float32)
        self._best = self._constant + n_active
        beyond = np.maximum(0.0, np.abs(measured) - sound_print.DEAD_ZONE)
        self._measured, self._size = measured, (beyond * self._LOUD).astype(np.float32)
        self._scale = self._UNIT / max(1, kept.shape[1])

    def evidence(self, offset: int) -> Evidence:
        """See `Lane`."""
        there = np.arange(self.n_sealed) * self.step + offset
        inside = (there >= 0) & (there < self.n_file)
        out = np.full(self.n_sealed, OUTSIDE, np.float32)
        at = there[inside]
        agree = np.einsum("if,if->i", self._kept[inside], self._measured[at])
        agree -= np.einsum("if,if->i", self._calm[inside], self._size[at])
        out[inside] = (agree + self._constant[inside]) * self._scale
        return out

    def search(self, start: int, end: int) -> list[int]:
        """See `Lane`."""
        wanted = float(self._best[start:end].sum())
        n_places = self.n_file - (end - start - 1) * self.step
        if n_places <= 0 or wanted < 0.1 * (end - start) * self._kept.shape[1]:
            return []  # longer than the file, or too quiet to be looked for
        total = np.full(n_places, self._constant[start:end].sum(), np.float32)
        for block in range(0, n_places, _BLOCK):
            total[block : block + _BLOCK] += self._agreement(start, end, block, n_places)
        return [p - start * self.step for p in peaks(total, self._FOUND * wanted)]

    def _agreement(self, start: int, end: int, block: int, n_places: int) -> Evidence:
        """Agreement of the sealed moments with each place of a block of the file."""
        n, size = end - start, min(_BLOCK, n_places - block)
        rows = slice(block, block + size + (n - 1) * self.step)
        each = self._measured[rows] @ self._kept[start:end].T
        each -= self._size[rows] @ self._calm[start:end].T
        total = np.zeros(size, np.float32)
        for k in range(n):
            total += each[k * self.step : k * self.step + size, k]
        return total


class PictureLane:
    """Sealed mosaics against those of a file."""

    file_hop_s = picture_print.TICK_S
    step = picture_print.SEALED_EVERY
    sealed_hop_s = file_hop_s * step
    chunk = 10  # 2 s

    # Laplace scales in grey levels: of blocks after another codec, and of other content.
    _SAME, _OTHER = 2.0, 8.0
    _WORST = -2.0
    _FOUND = 0.1

    def __init__(self, name: str, kept: Mosaic, shown: Mosaic) -> None:
        self.name, self.n_sealed, self.n_file = name, len(kept), len(shown)
        n_blocks = int(np.prod(kept.shape[1:]))
        self._kept = kept.reshape(len(kept), n_blocks).astype(np.float32)
        self._shown = shown.reshape(len(shown), n_blocks if len(shown) else 1).astype(np.float32)
        self._best = float(np.log(self._OTHER / self._SAME))

    def _judge(self, distance: NDArray[np.float32]) -> Evidence:
        evidence = self._best - distance * (1 / self._SAME - 1 / self._OTHER)
        return np.asarray(np.maximum(evidence, self._WORST), np.float32)

    def evidence(self, offset: int) -> Evidence:
        """See `Lane`."""
        there = np.arange(self.n_sealed) * self.step + offset
        inside = (there >= 0) & (there < self.n_file)
        out = np.full(self.n_sealed, OUTSIDE, np.float32)
        gap = self._shown[there[inside]] - self._kept[inside]
        out[inside] = self._judge(np.abs(gap).mean(axis=1))
        return out

    def search(self, start: int, end: int) -> list[int]:
        """See `Lane`."""
        n_places = self.n_file - (end - start - 1) * self.step
        if n_places <= 0:
            return []
        total = np.zeros(n_places, np.float32)
        for n, i in enumerate(range(start, end)):
            rows = self._shown[n * self.step : n * self.step + n_places]
            total += self._judge(np.abs(rows - self._kept[i]).mean(axis=1))
        found = peaks(total, self._FOUND * self._best * (end - start))
        return [p - start * self.step for p in found]

    def cell_errors(self, start: int, end: int, offset: int) -> NDArray[np.float32]:
        """How far cells of `CELL` x `CELL` blocks are from the sealed ones, in grey levels.

        Of the ticks around each moment the one that fits a cell best counts, since frame rates
        are converted.

        Returns:
            (end - start, side - 2, side - 2) float32.
        """
        side = round(self._kept.shape[1] ** 0.5)
        kept = self._kept[start:end]
        at = np.arange(start, end) * self.step + offset
        nearest: NDArray[np.float32] | None = None
        for jitter in range(-_JITTER_TICKS, _JITTER_TICKS + 1):
            there = np.clip(at + jitter, 0, self.n_file - 1)
            gap = np.abs(self._shown[there] - kept).reshape(-1, side, side)
            windows = np.lib.stride_tricks.sliding_window_view(gap, (CELL, CELL), axis=(1, 2))
            cells = windows.mean(axis=(3, 4))
            nearest = cells if nearest is None else np.minimum(nearest, cells)
        assert nearest is not None
        return nearest


def peaks(total: Evidence, least: float, most: int = 3) -> list[int]:
    """Positions of up to ``most`` separate maxima of at least ``least``, highest first."""
    found: list[int] = []
    left = total.copy()
    while len(found) < most:
        best = int(np.argmax(left))
        if left[best] < least:
            break
        found.append(best)
        left[max(0, best - 10) : best + 11] = -np.inf
    return found
