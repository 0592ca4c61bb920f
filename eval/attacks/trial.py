"""One attacked item, and how trials are kept in a CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from eval.errors import ScoresError


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What an attack made of one item.

    Attributes:
        target: what was attacked or asked: ``visual_forgery``, ``voice_clone``, ``voice_network``.
        attack: its name and strength, such as ``pgd 2/255``.
        kind: ``white box``, ``transfer``, ``black box`` or ``laundering``.
        id: of the clip.
        person: whom an interval resamples.
        is_fake: the truth; fakes were pushed to look real, real ones to look fake.
        before, after: fake_llr of the branch (log-odds of the bare network); None where the item
            could not be judged any more.
    """

    target: str
    attack: str
    kind: str
    id: str
    person: str
    is_fake: bool
    before: float
    after: float | None


def write_trials(path: Path, trials: Iterable[Trial]) -> None:
    """Write whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(Trial)])
        writer.writeheader()
        for trial in trials:
            row = asdict(trial)
            row |= {name: _number(row[name]) for name in ("before", "after")}
            writer.writerow(row | {"is_fake": int(trial.is_fake)})
    part.replace(path)


def read_trials(path: Path) -> list[Trial]:
    """Read what `write_trials` wrote; raises `ScoresError` for anything else."""
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            return [_trial(row) for row in csv.DictReader(stream)]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ScoresError(
            f"{path}: no trials of `python -m eval attacks` ({error}); run it without --print"
        ) from error


def _trial(row: dict[str, str]) -> Trial:
    return Trial(
        target=row["target"],
        attack=row["attack"],
        kind=row["kind"],
        id=row["id"],
        person=row["person"],
        is_fake=bool(int(row["is_fake"])),
        before=float(row["before"]),
        after=float(row["after"]) if row["after"] else None,
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
