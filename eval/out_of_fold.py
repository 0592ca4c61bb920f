"""Scores of clips by models that never saw their fold: written by recipes, read by runs."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from eval.errors import ScoresError

COLUMNS = ("procedure", "id", "fold", "score", "fake_llr", "commit", "config_sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfFold:
    """One clip, scored by a model that had not seen its fold.

    Attributes:
        procedure: who trained, in the words of the recipe.
        id: of the clip.
        fold: what was held out with it: a fold of the protocol, or a source.
        score: raw, higher = more fake; None where the model abstained.
        fake_llr: by a calibration that had not seen the fold either; None as ``score``.
        config_sha256: of the settings and folds it was made with, empty where not written yet.
    """

    procedure: str
    id: str
    fold: str
    score: float | None
    fake_llr: float | None = None
    config_sha256: str = ""


def read_out_of_fold(path: Path) -> list[OutOfFold]:
    """Read the file in its order.

    Raises:
        ScoresError: no such file, other columns than `COLUMNS`, a figure that is no finite number,
            or an id twice under one procedure.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise ScoresError(f"{path}: columns are not {','.join(COLUMNS)}; write it anew")
            scored = [_parse(path, cells) for cells in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ScoresError(
            f"{path}: cannot be read ({error}); write it with the recipe that makes it"
        ) from error
    seen: set[tuple[str, str]] = set()
    for e in scored:
        if (e.procedure, e.id) in seen:
            raise ScoresError(f"{path}: id {e.id!r} occurs twice under {e.procedure!r}")
        seen.add((e.procedure, e.id))
    return scored


def _parse(path: Path, cells: dict[str, str]) -> OutOfFold:
    return OutOfFold(
        procedure=cells["procedure"],
        id=cells["id"],
        fold=cells["fold"],
        score=_number(path, cells, "score"),
        fake_llr=_number(path, cells, "fake_llr"),
        config_sha256=cells["config_sha256"],
    )


def _number(path: Path, cells: dict[str, str], name: str) -> float | None:
    text = cells[name]
    if text == "":
        return None
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise ScoresError(f"{path}, id {cells['id']!r}: {name} {text!r} is not a number")
    return value
