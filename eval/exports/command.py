"""``python -m eval export``: a score file in an official submission format."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from avdetect.errors import UsageError
from eval.answers import ANSWERS
from eval.errors import ScoresError
from eval.exports import asvspoof, avdeepfake1m
from eval.run.scan import SEGMENTS
from eval.run.store import CLEAN, ScoreRow, read_scores, write_whole
from eval.run.stretches import read_located


class Format(StrEnum):
    """Official submission formats."""

    ASVSPOOF_2021 = "asvspoof2021"
    ASVSPOOF5 = "asvspoof5"
    AVDEEPFAKE1M = "avdeepfake1m"
    AVDEEPFAKE1M_SEGMENTS = "avdeepfake1m-segments"


def export(
    form: Annotated[Format, typer.Argument(metavar="FORMAT", help=", ".join(Format))],
    scores: Annotated[Path, typer.Argument(help="scores.csv of a run")],
    out: Annotated[Path, typer.Option(help="file to write")],
    answer: Annotated[
        str | None,
        typer.Option(help="which answer; default voice_clone for ASVspoof, else fused"),
    ] = None,
) -> None:
    """Write the clean scores of a run as a challenge wants them; unjudged clips as LLR 0."""
    is_speech = form in (Format.ASVSPOOF_2021, Format.ASVSPOOF5)
    column = answer or ("voice_clone" if is_speech else "fused")
    if column not in ANSWERS:
        raise UsageError(f"--answer: no answer {column!r}; there are: {', '.join(ANSWERS)}")
    rows = [row for row in read_scores(scores).values() if row.level == CLEAN]
    if not rows:
        raise ScoresError(f"{scores}: holds no row of level {CLEAN}; run first")
    write_whole(out, _text(form, scores, _llrs(rows, column)))


def _llrs(rows: list[ScoreRow], column: str) -> dict[str, float]:
    """LLR by id; a submission needs every id, so an abstention is LLR 0, and that is said."""
    found = {row.id: row.llr(column) for row in rows}
    unjudged = [name for name, llr in found.items() if llr is None]
    if unjudged:
        print(
            f"{len(unjudged)} of {len(found)} clips were not judged by {column} and are written "
            f"as LLR 0, such as {unjudged[0]}",
            file=sys.stderr,
        )
    return {name: llr or 0.0 for name, llr in found.items()}


def _text(form: Format, scores: Path, llrs: dict[str, float]) -> str:
    if form is Format.ASVSPOOF_2021:
        return asvspoof.asvspoof_2021(llrs)
    if form is Format.ASVSPOOF5:
        return asvspoof.asvspoof5(llrs)
    if form is Format.AVDEEPFAKE1M:
        return avdeepfake1m.detection(llrs)
    path = scores.with_name(SEGMENTS)
    if not path.is_file():
        raise ScoresError(f"{path}: is not there; the segments of a run lie beside its scores")
    located = {found.id: found for found in read_located(path).values() if found.level == CLEAN}
    return avdeepfake1m.localisation(llrs, located)
