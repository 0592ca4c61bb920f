"""The tables that the tracing recipe writes and the figures are computed from."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from eval.errors import ScoresError

RESULTS = Path(__file__).resolve().parents[1] / "results" / "tracing"
PICTURE_SCORES = RESULTS / "picture_scores.csv"
PICTURE_PAIRS = RESULTS / "picture_pairs.csv"
TILEWISE = RESULTS / "picture_tilewise.csv"
DESIGNS = RESULTS / "designs.csv"
VOICE_ANSWERS = RESULTS / "voice_answers.csv"
VOICE_OPEN = RESULTS / "voice_open.csv"
VOICE_PAIRS = RESULTS / "voice_pairs.csv"

Row = dict[str, str]


def read_table(path: Path, columns: Sequence[str]) -> list[Row]:
    """Rows of a table, in its order.

    Raises:
        ScoresError: no such file, or one of ``columns`` is not in it.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise ScoresError(f"{path}: no column {missing[0]!r}; write it anew")
            return list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ScoresError(
            f"{path}: cannot be read ({error}); write it with python -m "
            "recipes.tracing.cross_validate"
        ) from error


def number(path: Path, row: Mapping[str, str], column: str) -> float:
    """A finite number of a row; raises `ScoresError` where it is none."""
    try:
        value = float(row[column])
    except (KeyError, TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise ScoresError(f"{path}: {column} is {row.get(column)!r}, not a number; write it anew")
    return value


def write_table(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write a table whole or not at all; columns are those of the first row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    writer: csv.DictWriter[str] | None = None
    with part.open("w", newline="", encoding="utf-8") as stream:
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(stream, list(row), lineterminator="\n")
                writer.writeheader()
            writer.writerow({key: _cell(value) for key, value in row.items()})
    part.replace(path)


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
