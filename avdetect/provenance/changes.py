"""From aligned runs to what was done: cut, inserted, altered; and where, on both clocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from avdetect.provenance.alignment import CHANGE_PRICE, Run, spans
from avdetect.provenance.lanes import CELL, Lane, PictureLane

_BLUR_S = 0.2  # by which the windows at a join blur it: less is no change of content
_PAUSE_S = 0.5
_LEAST_SHIFT_S = 0.1  # that counts as a cut or an insertion: codecs and frame rates shift less
_SLACK = 3.0  # evidence given up so that sound and picture tell one story


class Kind(StrEnum):
    """What was done to a stretch."""

    CUT = "cut"
    INSERTED = "inserted"
    ALTERED = "altered"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one lane.

    Attributes:
        kind: what was done.
        lane: name of the lane.
        sealed_s: start and end on the clock of what was sealed; equal for an insertion.
        file_s: start and end on the clock of the file under test; equal for a cut.
        region: left, top, right, bottom as fractions of the picture, where only part of it changed.
    """

    kind: Kind
    lane: str
    sealed_s: tuple[float, float]
    file_s: tuple[float, float]
    region: tuple[float, float, float, float] | None = None


def changes_of(lane: Lane, runs: list[Run]) -> Iterator[Change]:
    """What lies between the runs, before the first and after the last."""
    file_end_s = lane.n_file * lane.file_hop_s
    sealed_end_s = lane.n_sealed * lane.sealed_hop_s
    edges = [(0.0, 0.0)]
    for run in runs:
        edges.append((run.start * lane.sealed_hop_s, _file_s(lane, run, run.start)))
        edges.append((run.end * lane.sealed_hop_s, _file_s(lane, run, run.end)))
    edges.append((sealed_end_s, file_end_s))
    for before, after in zip(edges[::2], edges[1::2], strict=True):
        change = _between(lane.name, before, after, (sealed_end_s, file_end_s))
        if change is not None:
            yield change


def _file_s(lane: Lane, run: Run, moment: int) -> float:
    return min(max(0, moment * lane.step + run.offset), lane.n_file) * lane.file_hop_s


def _between(
    name: str, before: tuple[float, float], after: tuple[float, float], ends: tuple[float, float]
) -> Change | None:
    sealed_s, file_s = (before[0], after[0]), (before[1], max(before[1], after[1]))
    missing_s, extra_s = sealed_s[1] - sealed_s[0], file_s[1] - file_s[0]
    at_edge = before == (0.0, 0.0) or after == ends
    least_s = _BLUR_S if at_edge else _LEAST_SHIFT_S
    if max(missing_s, extra_s) <= _BLUR_S and abs(missing_s - extra_s) <= least_s:
        return None
    if _is_remainder(extra_s, missing_s) and missing_s - extra_s > least_s:
        return Change(Kind.CUT, name, (sealed_s[0], sealed_s[1] - extra_s), (file_s[0],) * 2)
    if _is_remainder(missing_s, extra_s) and extra_s - missing_s > least_s:
        return Change(Kind.INSERTED, name, (sealed_s[0],) * 2, (file_s[0], file_s[1] - missing_s))
    return Change(Kind.ALTERED, name, sealed_s, file_s)


def _is_remainder(small_s: float, large_s: float) -> bool:
    """Whether the smaller side of a gap is what a join blurs or a pause hides, not new content."""
    return small_s <= _BLUR_S or small_s <= min(_PAUSE_S, large_s / 2)


def following(lane: Lane, own: list[Run], other: Lane, proposed: list[Run]) -> list[Run]:
    """The runs of another lane carried over to this one, where they explain it as well as its own.

    A picture that hardly moves fits before and behind a cut alike; the sound tells where it was.
    """
    ratio = other.sealed_hop_s / lane.sealed_hop_s
    carried: list[Run] = []
    for n, run in enumerate(proposed):
        offset = round(run.offset * other.file_hop_s / lane.file_hop_s)
        start = round(run.start * ratio) if carried else 0
        end = round(run.end * ratio) if n + 1 < len(proposed) else lane.n_sealed
        if carried and carried[-1].offset == offset:  # altered there, not moved
            start = carried.pop().start
        end = min(end, lane.n_sealed)
        if end > start:
            evidence = float(lane.evidence(offset)[start:end].sum())
            carried.append(Run(start, end, offset, evidence))
    return carried if carried and _worth(carried) >= _worth(own) - _SLACK else own


def moved_alike(lane: Lane, runs: list[Run], other: Lane, others: list[Run]) -> bool:
    """Whether two lanes moved by the same times in the same order, whatever the places."""
    one = _moves_s(lane, runs)
    two = _moves_s(other, others)
    pairs = zip(one, two, strict=False)
    return len(one) == len(two) and all(abs(a - b) <= _LEAST_SHIFT_S + _BLUR_S for a, b in pairs)


def _moves_s(lane: Lane, runs: list[Run]) -> list[float]:
    moves: list[float] = []
    for run in runs:
        offset_s = run.offset * lane.file_hop_s
        if not moves or abs(offset_s - moves[-1]) > _LEAST_SHIFT_S:
            moves.append(offset_s)
    return moves


def _worth(runs: list[Run]) -> float:
    return sum(run.evidence for run in runs) - CHANGE_PRICE * len(runs)


_LEAST_GREY = 4.0
_TIMES_USUAL = 3.0
_MOST_GREY = 20.0  # no codec moves block averages so far, even if all of them differ


def regions_of(lane: PictureLane, runs: list[Run]) -> Iterator[Change]:
    """Stretches whose picture differs in a part of it only, such as a face that was exchanged."""
    errors = [lane.cell_errors(run.start, run.end, run.offset) for run in runs]
    if not errors:
        return
    usual = float(np.median([np.percentile(cells, 95) for run in errors for cells in run]))
    limit = min(_LEAST_GREY + _TIMES_USUAL * usual, _MOST_GREY)
    for run, cells in zip(runs, errors, strict=True):
        smooth = _smoothed(cells)
        bad = smooth.reshape(len(smooth), -1).max(axis=1) > limit
        for start, end in spans(bad):
            if end - start < 2:
                continue
            sealed_s = tuple((run.start + i) * lane.sealed_hop_s for i in (start, end))
            file_s = tuple(_file_s(lane, run, run.start + i) for i in (start, end))
            region = _box(smooth[start:end].max(axis=0) > limit)
            yield Change(Kind.ALTERED, lane.name, sealed_s, file_s, region)  # type: ignore[arg-type]


def _smoothed(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median over three moments, so that a single one that lags is no finding."""
    if len(cells) < 3:
        return cells
    padded = np.pad(cells, ((1, 1), (0, 0), (0, 0)), mode="edge")
    return np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)


def _box(cells: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    rows, columns = np.flatnonzero(cells.any(axis=1)), np.flatnonzero(cells.any(axis=0))
    side = cells.shape[0] + CELL - 1
    left, right = columns[0] / side, (columns[-1] + CELL) / side
    return float(left), float(rows[0] / side), float(right), float((rows[-1] + CELL) / side)
