"""The parts of a population that get a row of their own: sets, folds, generators, durations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from eval.answers import Question
from eval.manifest.row import ManifestRow
from eval.protocol import Protocol

OF_FAKES = ("generator", "kind")  # real clips have none: these fakes stand against every real clip
UNKNOWN = "unknown"
_DURATIONS_S = (2.0, 4.0, 10.0, 30.0)  # a word, a phrase, a voice message, a turn of a call

Parts = dict[str, list[ManifestRow]]


def parts_by_condition(
    protocol: Protocol,
    rows: Sequence[ManifestRow],
    question: Question,
    durations_s: Mapping[str, float],
) -> dict[str, Parts]:
    """Rows of every part, by condition and value, without conditions that part nothing anew.

    Args:
        protocol: names sets and conditions.
        rows: of a population.
        question: decides which of them are fakes.
        durations_s: seconds by id where the manifest does not tell.
    """
    entering = [row for row in rows if question.admits(row)]
    tables: dict[str, Parts] = {
        "set": {
            name: [row for row in entering if row.fold in folds]
            for name, folds in protocol.sets.items()
        }
    }
    for condition in protocol.conditions:
        if condition in OF_FAKES:
            tables[condition] = _against_all_real(entering, condition, question)
        else:
            tables[condition] = _grouped((getattr(row, condition), row) for row in entering)
    tables["duration"] = _by_duration(entering, durations_s)
    telling: dict[str, Parts] = {}
    for name, parts in tables.items():
        filled = {value: part for value, part in parts.items() if part}
        if filled and (len(filled) > 1 or name in OF_FAKES):
            if _cut(filled) not in map(_cut, telling.values()):
                telling[name] = filled
    return telling


def _cut(parts: Parts) -> set[frozenset[str]]:
    """What a condition parts the rows into, whatever the parts are called."""
    return {frozenset(row.id for row in part) for part in parts.values()}


def _against_all_real(rows: Sequence[ManifestRow], condition: str, question: Question) -> Parts:
    real = [row for row in rows if row.label == "real"]
    fakes = _grouped((getattr(row, condition), row) for row in rows if question.is_fake(row))
    return {value: real + part for value, part in fakes.items()}


def _by_duration(rows: Sequence[ManifestRow], durations_s: Mapping[str, float]) -> Parts:
    names = [
        f"below {_DURATIONS_S[0]:g} s",
        *(f"{a:g} to {b:g} s" for a, b in pairwise(_DURATIONS_S)),
        f"from {_DURATIONS_S[-1]:g} s",
    ]
    parts: Parts = {name: [] for name in names}
    for row in rows:
        seconds = row.duration_s if row.duration_s is not None else durations_s.get(row.id)
        if seconds is not None:
            parts[names[sum(seconds >= edge for edge in _DURATIONS_S)]].append(row)
    return parts


def _grouped(pairs: Iterable[tuple[str | int | float | None, ManifestRow]]) -> Parts:
    parts: Parts = {}
    for value, row in sorted(pairs, key=lambda pair: str(pair[0] or "")):
        parts.setdefault(str(value) if value not in (None, "") else UNKNOWN, []).append(row)
    return parts
