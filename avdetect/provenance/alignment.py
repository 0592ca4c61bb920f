"""Which moments of a sealed recording are in a file, and where: by dynamic programming.

A Viterbi path over the sealed moments is at one offset after the other, or at none, each change at
a price; so a cut or an insertion moves what follows to another offset instead of making it differ.
Offsets come from hints (the other lanes, the packets) and from searching the file for what no
offset explains yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.provenance.lanes import Evidence, Lane

CHANGE_PRICE = 2.0
_DRIFT_PRICE = 0.6  # for a neighbouring offset: clocks differ a little
_DRIFT = 2  # file moments
_MAX_OFFSETS = 48
_MAX_ROUNDS = 24
NOWHERE = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True)
class Run:
    """Sealed moments ``[start, end)`` that are in the file at ``step * i + offset``."""

    start: int
    end: int
    offset: int
    evidence: float


def align(lane: Lane, hints: Iterable[int] = ()) -> list[Run]:
    """Runs in sealed order, whose places in the file never go back.

    Args:
        lane: what was sealed and what is under test.
        hints: offsets worth trying, in moments of the file.
    """
    tried = {0, *hints}
    known = {offset: lane.evidence(offset) for offset in sorted(tried)[:_MAX_OFFSETS]}
    searched = np.zeros(lane.n_sealed, bool)
    path = best_path(known, lane.step)
    for _ in range(_MAX_ROUNDS):
        n_searched = int(searched.sum())
        fresh = (_missing_offsets(lane, path, searched) | _neighbours(path)) - tried
        if not fresh:
            if int(searched.sum()) == n_searched:
                break
            continue
        tried |= fresh
        used = _used(path)
        known = {offset: e for offset, e in known.items() if offset in used or offset == 0}
        for offset in sorted(fresh)[: _MAX_OFFSETS - len(known)]:
            known[offset] = lane.evidence(offset)
        path = best_path(known, lane.step)
    return _monotone(_runs(path, known), lane, known)


def _used(path: NDArray[np.int64]) -> set[int]:
    return set(np.unique(path[path != NOWHERE]).tolist())


def _missing_offsets(lane: Lane, path: NDArray[np.int64], searched: NDArray[np.bool_]) -> set[int]:
    """Offsets of some of what the path leaves out, looked for in chunks and in halves of them.

    A few places of each stretch are enough for a round: the offset found at one of them explains
    its neighbours, too.
    """
    found: set[int] = set()
    half = lane.chunk // 2
    for start, end in spans(path == NOWHERE):
        left = [p for p in range(start, end, half) if not searched[p]]
        for position in _some(left):
            searched[position : position + half] = True
            for piece in _pieces(position, start, end, lane):
                found.update(lane.search(*piece))
    return found


def _some(positions: list[int]) -> list[int]:
    """The first two, the middle one and the last, where there are so many."""
    if len(positions) <= 4:
        return positions
    return [positions[0], positions[1], positions[len(positions) // 2], positions[-1]]


def _pieces(position: int, start: int, end: int, lane: Lane) -> Iterator[tuple[int, int]]:
    """Sealed moments to look for around a place of a stretch that was not found."""
    half, least = lane.chunk // 2, lane.chunk // 4
    begin = max(0, min(position, lane.n_sealed - lane.chunk))
    yield begin, min(begin + lane.chunk, lane.n_sealed)
    stop = min(position + half, end)
    if stop - position >= least:
        yield position, stop
    if stop == end and end - start >= least:
        yield max(start, end - half), end


def _neighbours(path: NDArray[np.int64]) -> set[int]:
    return {offset + k for offset in _used(path) for k in range(-_DRIFT, _DRIFT + 1)}


def best_path(known: dict[int, Evidence], step: int) -> NDArray[np.int64]:
    """(n_sealed,) offset of each sealed moment, or the least integer where it is nowhere."""
    offsets = sorted(known)
    emission = np.stack([*(known[d] for d in offsets), np.zeros_like(known[offsets[0]])])
    price = _prices(offsets, step)
    n_states, n = emission.shape
    if not n:
        return np.zeros(0, np.int64)
    came_from = np.zeros((n, n_states), np.int16)
    score = emission[:, 0].copy()
    score[-1] -= CHANGE_PRICE  # a missing head or tail is a change like any other
    columns = np.arange(n_states)
    for i in range(1, n):
        reach = score[:, None] - price
        came_from[i] = reach.argmax(axis=0)
        score = reach[came_from[i], columns] + emission[:, i]
    score[-1] -= CHANGE_PRICE
    states = np.zeros(n, np.int64)
    states[-1] = int(score.argmax())
    for i in range(n - 1, 0, -1):
        states[i - 1] = came_from[i, states[i]]
    return np.array([*offsets, NOWHERE], np.int64)[states]


def _prices(offsets: list[int], step: int) -> NDArray[np.float32]:
    """(K+1, K+1) price of going from one offset (or nowhere, the last) to another."""
    n = len(offsets)
    price = np.full((n + 1, n + 1), CHANGE_PRICE, np.float32)
    price[:n, :n] *= 1.5
    np.fill_diagonal(price, 0.0)
    for a, before in enumerate(offsets):
        for b, after in enumerate(offsets):
            if after < before - step:  # would show the same moments of the file again
                price[a, b] = 1e9
            if a != b and abs(after - before) <= _DRIFT:
                price[a, b] = _DRIFT_PRICE
    return price


def spans(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Half-open index ranges in which a mask is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _runs(path: NDArray[np.int64], known: dict[int, Evidence]) -> list[Run]:
    runs: list[Run] = []
    changes = np.flatnonzero(np.diff(path)) + 1
    for start, end in zip([0, *changes.tolist()], [*changes.tolist(), len(path)], strict=True):
        if end > start and path[start] != NOWHERE:
            offset = int(path[start])
            runs.append(Run(start, end, offset, float(known[offset][start:end].sum())))
    return runs


def _monotone(runs: list[Run], lane: Lane, known: dict[int, Evidence]) -> list[Run]:
    """Share out moments of the file that two runs claim, to where the evidence is."""
    kept: list[Run] = []
    for run in runs:
        after: Run | None = run
        while after is not None and kept:
            overlap = _overlap(kept[-1], after, lane.step)
            if overlap <= 0:
                break
            before = kept.pop()
            earlier, after = _shared_out(before, after, overlap, known)
            if earlier is not None:
                kept.append(earlier)
        if after is not None:
            kept.append(after)
    return kept


def _shared_out(
    before: Run, after: Run, overlap: int, known: dict[int, Evidence]
) -> tuple[Run | None, Run | None]:
    """Take ``overlap`` moments away, some from the end of one run, the others from the next."""
    from_end = known[before.offset][before.start : before.end][::-1][:overlap]
    from_start = known[after.offset][after.start : after.end][:overlap]
    lost_before = np.concatenate([[0.0], np.cumsum(from_end)])
    lost_after = np.concatenate([[0.0], np.cumsum(from_start)])
    taken = np.arange(overlap + 1)
    lost = lost_before[np.minimum(taken, len(from_end))]
    lost = lost + lost_after[np.minimum(overlap - taken, len(from_start))]
    k = int(np.argmin(lost))
    return (
        _trimmed(before, before.start, before.end - k, known),
        _trimmed(after, after.start + overlap - k, after.end, known),
    )


def _overlap(before: Run, after: Run, step: int) -> int:
    """Sealed moments by which ``after`` reaches back into the file, beyond drift."""
    back = before.end * step + before.offset - after.start * step - after.offset
    return -(-(back - _DRIFT) // step) if back > _DRIFT else 0


def _trimmed(run: Run, start: int, end: int, known: dict[int, Evidence]) -> Run | None:
    if end <= start:
        return None
    evidence = float(known[run.offset][start:end].sum())
    return Run(start, end, run.offset, evidence) if evidence > 0 else None
