"""Read a score file (``id,label,score``) whole or refuse it, with the reason."""

from __future__ import annotations

import csv
import gzip
import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.errors import ScoresError
from eval.manifest.file import read_manifest

IS_FAKE = {"bonafide": False, "real": False, "spoof": True, "fake": True}
PERSON_COLUMNS = ("speaker", "identity")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredTrials:
    """Trials ready for `eval.metrics`.

    Attributes:
        ids: (N,) unique.
        is_fake: (N,).
        scores: (N,) finite, higher = more fake, whatever the file's direction was.
        groups: (N,) speaker or identity, the id itself where unknown.
        grouped_by: column of the groups, ``trial`` where every trial is its own.
    """

    ids: list[str]
    is_fake: NDArray[np.bool_]
    scores: NDArray[np.float64]
    groups: NDArray[np.str_]
    grouped_by: str = "trial"


def read_score_file(
    path: Path,
    *,
    higher: str,
    score_column: str = "score",
    group_column: str | None = None,
    reference: Path | None = None,
) -> ScoredTrials:
    """Read and validate a score file.

    Args:
        path: CSV with a header, or one as ``.csv.gz``; columns ``id``, ``label`` and the score, in
            any order.
        higher: ``fake`` or ``bonafide``, what a higher score means in this file.
        score_column: name of the score's column.
        group_column: column of the speaker or identity; None takes the first of
            ``PERSON_COLUMNS`` that is there, and makes every trial its own group without one.
        reference: manifest, or any CSV with a column ``id``, whose ids the file must hold: all of
            them and no others.

    Raises:
        ScoresError: no such file, a column, id or score is missing, an id or a column occurs twice,
            a score is not a finite number, a label is unknown, only one class is there, or the ids
            are not the reference's.
    """
    wanted = ["id", "label", score_column, *([group_column] if group_column else [])]
    rows = _read_table(path, wanted)
    if group_column is None:
        group_column = next((name for name in PERSON_COLUMNS if rows and name in rows[0]), "id")
    ids = [row["id"] for row in rows]
    _refuse_bad_ids(path, ids)
    if reference is not None:
        _refuse_other_ids(path, ids, reference, _reference_ids(reference))
    labels = [_is_fake(path, row) for row in rows]
    if len(set(labels)) < 2:
        raise ScoresError(f"{path}: holds one class only; metrics need both real and fake trials")
    scores = np.asarray([_score(path, row, score_column) for row in rows])
    return ScoredTrials(
        ids=ids,
        is_fake=np.asarray(labels),
        scores=scores if higher == "fake" else -scores,
        groups=np.asarray([row[group_column] or row["id"] for row in rows]),
        grouped_by="trial" if group_column == "id" else group_column,
    )


def _read_table(path: Path, columns: list[str]) -> list[dict[str, str]]:
    open_file = gzip.open if path.suffix == ".gz" else open
    try:
        with open_file(path, "rt", newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            header = list(reader.fieldnames or ())
            rows = list(reader)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise ScoresError(f"{path}: cannot be read as CSV: {error}") from error
    for column in columns:
        if header.count(column) != 1:
            there = ", ".join(header) or "none"
            raise ScoresError(f"{path}: want one column {column!r}; the columns are: {there}")
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise ScoresError(f"{path}, row {number}: not as many fields as the header has columns")
    return rows


def _reference_ids(path: Path) -> list[str]:
    if path.suffix == ".parquet":
        return [row.id for row in read_manifest(path)]
    return [row["id"] for row in _read_table(path, ["id"])]


def _refuse_bad_ids(path: Path, ids: list[str]) -> None:
    if "" in ids:
        raise ScoresError(f"{path}, row {ids.index('') + 2}: the id is missing")
    twice = [name for name, count in Counter(ids).items() if count > 1]
    if twice:
        raise ScoresError(f"{path}: {len(twice)} ids occur more than once, such as {twice[0]!r}")


def _refuse_other_ids(
    path: Path, ids: Sequence[str], reference: Path, wanted: Collection[str]
) -> None:
    missing = sorted(set(wanted) - set(ids))
    if missing:
        raise ScoresError(
            f"{path}: {len(missing)} ids of {reference} have no score, such as {missing[0]!r}; "
            "score them, or leave unjudged trials out of the reference and report coverage"
        )
    unknown = sorted(set(ids) - set(wanted))
    if unknown:
        raise ScoresError(
            f"{path}: {len(unknown)} ids are not in {reference}, such as {unknown[0]!r}"
        )


def _is_fake(path: Path, row: dict[str, str]) -> bool:
    try:
        return IS_FAKE[row["label"]]
    except KeyError:
        raise ScoresError(
            f"{path}, id {row['id']!r}: unknown label {row['label']!r}; "
            f"known are {', '.join(IS_FAKE)}"
        ) from None


def _score(path: Path, row: dict[str, str], column: str) -> float:
    try:
        score = float(row[column])
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise ScoresError(
            f"{path}, id {row['id']!r}: {column} is {row[column]!r}, not a finite number; "
            "leave unjudged trials out and report coverage"
        )
    return score
