"""What the blocks of a photograph tell of JPEG codings before the last one.

A coding at step q1 leaves DCT coefficients near multiples of q1. A second coding at step q2 bins
them anew, and its histogram shows peaks and holes that no single coding leaves (Popescu & Farid
2004). Where the first grid lay elsewhere, the multiples show on that grid alone (Bianchi & Piva
2012, integer periodicity maps).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

BLOCK_PX = 8
# Row and column frequencies of the strongest coefficients, and where a table in zigzag has them.
FREQUENCIES = ((0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (1, 2), (2, 1), (3, 0))
ZIGZAG = (1, 2, 3, 4, 5, 6, 7, 8, 9)
_STEPS_TRIED = np.arange(2, 64)
_MOST_BINS = 60  # of the second coding, to either side of zero
_FINE = 4  # bins a grey level in which a coefficient's spread is kept
_FINE_REACH = 512  # grey levels to either side of zero
_ROUNDING = 0.4  # deviation of a coefficient by rounding and clipping pixels to 8 bits
_BLURRED = 0.02  # share of a broad spread mixed into every model: no bin is impossible
_LEAST_NONZERO = 150  # coefficients that the last coding left, for a frequency to count
_PERIODS = np.arange(3, 33)
_PERIOD_REACH = 1024
_N_GRIDS = BLOCK_PX * BLOCK_PX

Luma = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedHistory:
    """Traces of an earlier coding on the grid of the last one.

    Attributes:
        gains: (F,) natural-log units a coefficient by which two codings explain it better than one;
            NaN where too few are left.
        steps: (F,) step of the earlier coding that explains it best.
        block_llr: (h, w) mean natural-log ratio of two codings against one, block by block.
    """

    gains: NDArray[np.float64]
    steps: NDArray[np.int64]
    block_llr: NDArray[np.float64]

    @property
    def gain(self) -> float:
        """Mean over the frequencies that could be measured; NaN of a picture without detail."""
        known = self.gains[np.isfinite(self.gains)]
        return float(known.mean()) if len(known) >= 3 else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftedHistory:
    """Traces of an earlier coding on another grid.

    Attributes:
        map: (8, 8) how much stronger the coefficients of each grid keep to multiples than those of
            a typical grid; the grid of the last coding, (0, 0), is left at zero.
        peak: how far the strongest grid stands out, in robust deviations of the others.
        grid: its shift down and to the right, in pixels.
    """

    map: NDArray[np.float64]
    peak: float
    grid: tuple[int, int]


def second_steps(table: Sequence[int] | None) -> NDArray[np.int64]:
    """Steps of the last coding at `FREQUENCIES`; all one of a picture that was not a JPEG.

    Args:
        table: its luminance quantisation table, 64 values in zigzag order.
    """
    if table is None or len(table) < 64:
        return np.ones(len(FREQUENCIES), np.int64)
    return np.maximum(1, np.asarray(table, np.int64)[list(ZIGZAG)])


def aligned_history(luma: Luma, steps: NDArray[np.int64]) -> AlignedHistory:
    """Compare the coefficients' histograms with those of one and of two codings.

    What they were before any coding is read from the picture shifted by half a block, where the
    grid's traces are gone (calibration, Fridrich et al. 2003).

    Args:
        luma: (H, W) as decoded, its first pixel on the coding grid.
        steps: (F,) as of `second_steps`.
    """
    coefficients = _coefficients(luma)
    before = _coefficients(luma[BLOCK_PX // 2 :, BLOCK_PX // 2 :])
    n_frequencies = len(FREQUENCIES)
    gains = np.full(n_frequencies, np.nan)
    best = np.zeros(n_frequencies, np.int64)
    block_llr = np.zeros(coefficients.shape[:2])
    n_used = 0
    for k, step in enumerate(steps):
        bins = np.rint(coefficients[..., k] / step).astype(np.int64)
        inside = (np.abs(bins) <= _MOST_BINS) & (bins != 0)
        if inside.sum() < _LEAST_NONZERO:
            continue
        ratio, best[k] = _best_ratio(bins[inside], before[..., k], int(step))
        gains[k] = ratio[bins[inside] + _MOST_BINS].mean()
        block_llr[inside] += ratio[bins[inside] + _MOST_BINS]
        n_used += 1
    return AlignedHistory(gains=gains, steps=best, block_llr=block_llr / max(1, n_used))


def shifted_history(luma: Luma) -> ShiftedHistory:
    """Look for the grid, other than that of the last coding, whose coefficients keep to multiples.

    Args:
        luma: (H, W) as decoded, its first pixel on the coding grid.
    """
    strength = np.zeros((_N_GRIDS, 4, len(_PERIODS)))
    pixels = luma.astype(np.float32) - 128.0
    for k, (u, v) in enumerate(((0, 0), *FREQUENCIES[:2], (1, 1))):
        everywhere = np.rint(_at_every_pixel(pixels, u, v)).astype(np.int64)
        for grid in range(_N_GRIDS):
            down, right = divmod(grid, BLOCK_PX)
            strength[grid, k] = _periodicity(everywhere[down::BLOCK_PX, right::BLOCK_PX])
    others = strength[1:]
    excess = (others - np.median(others, axis=0)) / (_spread(others) + 1e-6)
    scores = excess.max(axis=2).mean(axis=1)
    best = int(scores.argmax())
    rest = np.delete(scores, best)
    spread = 1.4826 * float(np.median(np.abs(rest - np.median(rest)))) + 0.1
    return ShiftedHistory(
        map=np.concatenate([[0.0], scores - np.median(scores)]).reshape(BLOCK_PX, BLOCK_PX),
        peak=float((scores[best] - np.median(rest)) / spread),
        grid=divmod(best + 1, BLOCK_PX),
    )


def _coefficients(luma: Luma) -> NDArray[np.float64]:
    """(h, w, F) orthonormal DCT of every whole block."""
    rows, columns = (side // BLOCK_PX for side in luma.shape)
    pixels = luma[: rows * BLOCK_PX, : columns * BLOCK_PX].astype(np.float64) - 128.0
    blocks = pixels.reshape(rows, BLOCK_PX, columns, BLOCK_PX).swapaxes(1, 2)
    transformed = _dct() @ blocks @ _dct().T
    return np.stack([transformed[..., u, v] for u, v in FREQUENCIES], axis=-1)


def _best_ratio(
    bins: NDArray[np.int64], before: NDArray[np.float64], step: int
) -> tuple[NDArray[np.float64], int]:
    """Log ratio of two codings against one for each bin, of the earlier step that fits best."""
    counts = np.bincount(bins + _MOST_BINS, minlength=2 * _MOST_BINS + 1)
    farthest = _FINE * min(_FINE_REACH, (_MOST_BINS + 1) * step + int(_STEPS_TRIED[-1]))
    fine = np.rint(before * _FINE).astype(np.int64)
    spread = np.bincount(fine[np.abs(fine) <= farthest] + farthest, minlength=2 * farthest + 1)
    values = np.arange(-farthest, farthest + 1) / _FINE
    once = _log_shares(np.bincount(_bin_of(values, step), spread, 2 * _MOST_BINS + 3)[1:-1])
    best_gain, best_ratio, best_step = -np.inf, np.zeros_like(once), 0
    for first in _STEPS_TRIED:
        if step % first == 0:  # every bin of the earlier coding lies within one: no trace
            continue
        twice = _log_shares(_binned_twice(values, spread, int(first), step))
        gain = float(counts @ (twice - once)) / len(bins)
        if gain > best_gain:
            best_gain, best_ratio, best_step = gain, twice - once, int(first)
    return best_ratio, best_step


def _binned_twice(
    values: NDArray[np.float64], spread: NDArray[np.int64], first: int, step: int
) -> NDArray[np.float64]:
    """(bins,) expected counts after coding at ``first`` and again at ``step``."""
    level = np.rint(values / first).astype(np.int64)
    mass = np.bincount(level - level[0], spread)
    places = np.arange(level[0], level[-1] + 1) * first
    bins = np.rint(places / step)
    # Rounding is narrow against a bin: it carries a coefficient into the next one at most.
    below = ndtr(((bins - 0.5) * step - places) / _ROUNDING)
    above = ndtr((places - (bins + 0.5) * step) / _ROUNDING)
    counts = np.zeros(2 * _MOST_BINS + 3)
    for moved, share in ((-1, below), (0, 1.0 - below - above), (1, above)):
        counts += np.bincount(_bin_of(bins + moved, 1), mass * share, len(counts))
    return counts[1:-1]


def _bin_of(values: NDArray[np.float64], step: int) -> NDArray[np.int64]:
    """Index of a value's bin; 0 and the last are beyond those that count."""
    far = _MOST_BINS + 1
    return np.clip(np.rint(values / step), -far, far).astype(np.int64) + far


def _log_shares(counts: NDArray[np.generic]) -> NDArray[np.float64]:
    """(bins,) log shares among the bins that are not zero, none of them impossible."""
    shares = np.asarray(counts, np.float64).copy()
    shares[_MOST_BINS] = 0.0
    shares /= max(shares.sum(), 1e-9)
    broad = cv2.GaussianBlur(shares[None], (0, 0), 6.0)[0] + 1e-4
    return np.asarray(np.log((1.0 - _BLURRED) * shares + _BLURRED * broad / broad.sum()))


def _periodicity(coefficients: NDArray[np.int64]) -> NDArray[np.float64]:
    """(periods,) how far coefficients keep to multiples, 0 to 1; zeros say nothing."""
    inside = coefficients[(np.abs(coefficients) <= _PERIOD_REACH) & (coefficients != 0)]
    counts = np.bincount(inside + _PERIOD_REACH, minlength=2 * _PERIOD_REACH + 1)
    return np.asarray(np.abs(counts @ _waves()) / max(1, len(inside)))


def _spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.4826 * np.median(np.abs(values - np.median(values, axis=0)), axis=0)


def _at_every_pixel(pixels: NDArray[np.float32], u: int, v: int) -> NDArray[np.float32]:
    """One coefficient of the block that begins at each pixel."""
    rows, columns = (_dct()[f].astype(np.float32) for f in (u, v))
    filtered = cv2.sepFilter2D(pixels, cv2.CV_32F, columns, rows, anchor=(0, 0))
    height, width = pixels.shape
    return np.asarray(filtered[: height - BLOCK_PX + 1, : width - BLOCK_PX + 1], np.float32)


@cache
def _dct() -> NDArray[np.float64]:
    """(8, 8) orthonormal DCT-II (ITU-T T.81, annex A.3.3)."""
    n = np.arange(BLOCK_PX)
    matrix = np.cos(np.pi * (2 * n[None, :] + 1) * n[:, None] / (2 * BLOCK_PX)) / 2.0
    matrix[0] /= np.sqrt(2.0)
    return matrix


@cache
def _waves() -> NDArray[np.complex128]:
    values = np.arange(-_PERIOD_REACH, _PERIOD_REACH + 1)
    return np.asarray(np.exp(-2j * np.pi * values[:, None] / _PERIODS[None, :]))
