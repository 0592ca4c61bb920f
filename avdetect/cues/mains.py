"""Mains hum under speech: its frequency second by second, and where its phase breaks.

Every recording beside a power line carries the line's harmonics. Their frequency wanders slowly and
their phase runs on; a cut makes it leap (Grigoras 2005; Rodriguez, Apolinario & Biscainho 2010).
All harmonics of one family are followed at once, and moments in which speech covers one of them
weigh little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK, HOP = 1600, 320  # 100 ms every 20 ms: 10 Hz bins hold the harmonics of 50 and of 60 Hz
HOP_S = 0.02
_BIN_HZ = 10
HIGHEST_HZ = 1000
N_BINS = HIGHEST_HZ // _BIN_HZ + 4
FAMILIES_HZ = (50, 60)

_WINDOW_BLOCKS = 50  # one second on each side of a moment
_MARGIN_BLOCKS = 2  # left out next to the moment: their blocks reach over it
_STEP_BLOCKS = 5  # a moment every 0.1 s
STEP_S = _STEP_BLOCKS * HOP_S
_OFFSETS_HZ = np.linspace(-0.6, 0.6, 61)  # the widest that a grid strays
_CHANCE = 0.25  # coherence that noise reaches by itself
_SURE = 0.45  # mean coherence of a harmonic that is there
_ALONE = 0.75  # of a single harmonic, where no other one is
_LEAST_WEIGHT = 0.8  # of harmonics heard on both sides: one alone, at most 0.75, is not enough

Complex = NDArray[np.complex128]
Reals = NDArray[np.float64]


def spectra_of(blocks: NDArray[np.floating]) -> NDArray[np.complex64]:
    """(N, `BLOCK`) blocks at 16 kHz to (N, `N_BINS`) spectra from 0 Hz in steps of 10 Hz."""
    window = np.hanning(BLOCK + 1)[:-1].astype(np.float32)
    return np.fft.rfft(blocks * window, axis=1)[:, :N_BINS].astype(np.complex64)


@dataclass(frozen=True, slots=True)
class Hum:
    """The hum of one section of sound, at moments every `STEP_S`.

    Attributes:
        mains_hz: 50 or 60.
        times_s: (M,) moments on the clip's clock.
        hertz: (M,) mains frequency over the second before each moment.
        coherence: (M,) how surely hum was heard there, the best harmonics' mean, 0..1.
        followed: (M,) whether enough harmonics are heard on both sides to follow the phase.
        leap: (M,) how far the phases of all harmonics leap at the moment, mean of 1 - cos: 0 not at
            all, 1 at random; 0 where not followed.
        n_harmonics: how many are surely there.
        level_db: power of the harmonics together, dB against a full-scale sine.
    """

    mains_hz: int
    times_s: Reals
    hertz: Reals
    coherence: Reals
    followed: NDArray[np.bool_]
    leap: Reals
    n_harmonics: int
    level_db: float


def find_hum(spectra: NDArray[np.complex64], start_s: float) -> Hum | None:
    """The hum of a section, of the family that is heard better; None where there is none.

    Args:
        spectra: (N, `N_BINS`) of blocks `HOP_S` apart; three seconds at least.
        start_s: centre of the first block.
    """
    found = [_family(spectra, start_s, mains_hz) for mains_hz in FAMILIES_HZ]
    heard = [hum for hum in found if hum is not None]
    return max(heard, key=lambda hum: hum[1])[0] if heard else None


def refine_break(spectra: NDArray[np.complex64], start_s: float, hum: Hum, near_s: float) -> float:
    """Second at which the phases leap, by which side's hum each block near a moment carries on.

    Args:
        spectra: a row every `HOP_S`, as `find_hum` takes them.
        start_s: time of the first row.
        hum: what is heard.
        near_s: where about the break is.
    """
    harmonics = _Harmonics.of(spectra, hum.mains_hz)
    middle = round((near_s - start_s) / HOP_S)
    reach = 30
    first, last = max(0, middle - reach), min(len(spectra), middle + reach + 1)
    sides = []
    for begin in (middle - reach // 2 - _WINDOW_BLOCKS, middle + reach // 2):
        begin = min(max(0, begin), len(spectra) - _WINDOW_BLOCKS)
        fit = _fit(harmonics, np.array([begin]), _WINDOW_BLOCKS)
        at = (np.arange(first, last) - begin)[:, None] * HOP_S
        turn = np.exp(2j * np.pi * at * fit.offset_hz[0] * harmonics.numbers)
        sides.append(fit.amplitude[0] * turn)
    here, weight = harmonics.values[first:last], harmonics.weight[first:last]
    misfit = [(weight * np.abs(here - side) ** 2).sum(axis=1) for side in sides]
    gain = np.cumsum(misfit[1] - misfit[0])  # grows while the earlier hum goes on
    return start_s + (first + int(gain.argmax()) + 0.5) * HOP_S


@dataclass(frozen=True, slots=True)
class _Harmonics:
    """(N, H) harmonics turned to stand still at the nominal frequency, with weights."""

    numbers: Reals
    values: Complex
    weight: Reals

    @staticmethod
    def of(spectra: NDArray[np.complex64], mains_hz: int) -> _Harmonics:
        numbers = np.arange(1, HIGHEST_HZ // mains_hz + 1)
        bins = numbers * mains_hz // _BIN_HZ
        turn = np.exp(-2j * np.pi * (np.arange(len(spectra)) * HOP_S)[:, None] * numbers * mains_hz)
        values = spectra[:, bins].astype(np.complex128) * turn
        power = np.abs(values) ** 2
        beside = sum(
            np.abs(spectra[:, bins + k].astype(np.complex128)) ** 2 for k in (-3, -2, 2, 3)
        )
        usual = np.percentile(power, 25, axis=0)
        # Speech stands out beside the line or on it; hum does neither.
        cover = np.asarray(beside) / 4 + np.maximum(power - 2 * usual, 0.0)
        return _Harmonics(
            numbers=numbers.astype(np.float64),
            values=values,
            weight=1.0 / (cover + 0.1 * usual + 1e-12),
        )


@dataclass(frozen=True, slots=True)
class _Fit:
    """One steady hum fitted to each of M windows.

    Attributes:
        offset_hz: (M,) from the nominal frequency.
        amplitude: (M, H) complex, at the window's first block.
        coherence: (M, H) share of the weighted power that it explains.
    """

    offset_hz: Reals
    amplitude: Complex
    coherence: Reals


def _fit(harmonics: _Harmonics, starts: NDArray[np.int64], length: int) -> _Fit:
    rows = starts[:, None] + np.arange(length)
    values, weight = harmonics.values[rows], harmonics.weight[rows]  # (M, length, H)
    total = weight.sum(axis=1)
    energy = total * (weight * np.abs(values) ** 2).sum(axis=1) + 1e-30
    weighted = weight * values
    at_s = np.arange(length) * HOP_S
    score = np.zeros((len(starts), len(_OFFSETS_HZ)))
    for index, number in enumerate(harmonics.numbers):
        turns = np.exp(-2j * np.pi * number * at_s[:, None] * _OFFSETS_HZ)
        gathered = np.abs(weighted[:, :, index] @ turns) ** 2 / energy[:, index : index + 1]
        score += np.maximum(gathered - _CHANCE, 0.0)
    offset_hz = _peak(score)
    turns = np.exp(-2j * np.pi * offset_hz[:, None, None] * at_s[None, :, None] * harmonics.numbers)
    summed = (weighted * turns).sum(axis=1)
    return _Fit(
        offset_hz=offset_hz, amplitude=summed / total, coherence=np.abs(summed) ** 2 / energy
    )


def _peak(score: Reals) -> Reals:
    """(M,) offset of the best score, between the grid's points."""
    best = np.clip(score.argmax(axis=1), 1, score.shape[1] - 2)
    rows = np.arange(len(score))
    left, middle, right = (score[rows, best + k] for k in (-1, 0, 1))
    bend = np.minimum(left - 2 * middle + right, -1e-9)
    step = _OFFSETS_HZ[1] - _OFFSETS_HZ[0]
    return np.asarray(_OFFSETS_HZ[best] + step * np.clip(0.5 * (left - right) / bend, -0.5, 0.5))


def _family(
    spectra: NDArray[np.complex64], start_s: float, mains_hz: int
) -> tuple[Hum, float] | None:
    """A family's hum and how well it is heard."""
    harmonics = _Harmonics.of(spectra, mains_hz)
    length = _WINDOW_BLOCKS - _MARGIN_BLOCKS
    starts = np.arange(0, len(spectra) - length + 1, _STEP_BLOCKS)
    fit = _fit(harmonics, starts, length)
    heard = fit.coherence.mean(axis=0)
    present = heard > _SURE
    if not (present.sum() >= 2 or heard.max() > _ALONE):
        return None
    # A window serves the moment behind it as its past, and the moment before it as its future.
    apart = (_WINDOW_BLOCKS + _MARGIN_BLOCKS) // _STEP_BLOCKS
    followed, leap = _leaps(fit, harmonics.numbers, apart, length)
    moments = starts + 0.5 * (length + apart * _STEP_BLOCKS)
    power = (np.abs(fit.amplitude[:, present]) ** 2).mean(axis=0).sum()
    hum = Hum(
        mains_hz=mains_hz,
        times_s=np.asarray(start_s + moments * HOP_S, np.float64),
        hertz=mains_hz + fit.offset_hz,
        coherence=np.sort(fit.coherence, axis=1)[:, -3:].mean(axis=1),
        followed=followed,
        leap=leap,
        n_harmonics=int(present.sum()),
        level_db=float(10 * np.log10(power / (BLOCK / 4) ** 2 + 1e-12)),
    )
    return hum, float(np.maximum(heard - _CHANCE, 0).sum())


def _leaps(fit: _Fit, numbers: Reals, apart: int, length: int) -> tuple[NDArray[np.bool_], Reals]:
    """(M,) followed, and leap, between each window and the one ``apart`` steps later."""
    leap, followed = np.zeros(len(fit.offset_hz)), np.zeros(len(fit.offset_hz), bool)
    if len(leap) <= apart:
        return followed, leap
    past, future = slice(None, -apart), slice(apart, None)
    gap_s = apart * STEP_S
    # From the first block of the past window to that of the future one, at the pitch of each half.
    middle_s = 0.5 * (gap_s + length * HOP_S)
    turned = (
        2
        * np.pi
        * numbers
        * (fit.offset_hz[past, None] * middle_s + fit.offset_hz[future, None] * (gap_s - middle_s))
    )
    away = np.angle(fit.amplitude[future] * fit.amplitude[past].conj()) - turned
    certain = np.maximum(np.minimum(fit.coherence[past], fit.coherence[future]) - _CHANCE, 0.0)
    summed = certain.sum(axis=1)
    strength = (certain * (1 - np.cos(away))).sum(axis=1) / np.maximum(summed, 1e-9)
    followed[past] = summed > _LEAST_WEIGHT
    leap[past] = np.where(followed[past], strength, 0.0)
    return followed, leap
