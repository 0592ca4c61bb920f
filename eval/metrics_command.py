"""``python -m eval metrics``: every figure of a score file as one JSON object."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from eval.metrics import OperatingPoint
from eval.score_file import read_score_file
from eval.summary import looks_reversed, metric_table, summarise


class Higher(StrEnum):
    """What a higher score means."""

    BONAFIDE = "bonafide"
    REAL = "real"
    FAKE = "fake"
    SPOOF = "spoof"


class Scale(StrEnum):
    """What the scores are."""

    LLR = "llr"
    RAW = "raw"


def metrics(  # noqa: PLR0913, PLR0917 - one parameter an option
    scores_file: Annotated[Path, typer.Argument(metavar="SCORES.csv", help="id,label,score")],
    higher: Annotated[Higher, typer.Option(help="what a higher score means")],
    scores: Annotated[
        Scale, typer.Option(help="natural-log likelihood ratios, or any scale")
    ] = Scale.LLR,
    groups: Annotated[
        str | None,
        typer.Option(help="column resampled as one; default speaker or identity if there, else id"),
    ] = None,
    ids: Annotated[
        Path | None,
        typer.Option(help="manifest or CSV whose ids must all be scored, and no others"),
    ] = None,
    column: Annotated[str, typer.Option(help="column of the score")] = "score",
    compat: Annotated[
        bool, typer.Option("--compat", help="ties as the official ASVspoof 5 scorer has them")
    ] = False,
    prior_fake: Annotated[float, typer.Option(help="Pspoof of the operating point")] = 0.05,
    cost_miss: Annotated[float, typer.Option(help="Cmiss: price of rejecting a real trial")] = 1.0,
    cost_false_acceptance: Annotated[
        float, typer.Option(help="Cfa: price of passing a fake one")
    ] = 10.0,
    draws: Annotated[int, typer.Option(min=1, help="bootstrap draws of each interval")] = 1000,
) -> None:
    """Print every metric of a score file and its 95 % interval as one JSON object (fractions)."""
    trials = read_score_file(
        scores_file,
        higher="fake" if higher in (Higher.FAKE, Higher.SPOOF) else "bonafide",
        score_column=column,
        group_column=groups,
        reference=ids,
    )
    point = _operating_point(prior_fake, cost_miss, cost_false_acceptance)
    table = metric_table(point, as_llr=scores is Scale.LLR, compat=compat)
    figures = summarise(trials, table, n_draws=draws)
    figures["resampled"] = trials.grouped_by
    figures["looks_reversed"] = looks_reversed(figures)
    if figures["looks_reversed"]:
        print(
            f"warning: {scores_file}: AUC is {figures['auc']:.3f}: the direction looks reversed; "
            "is --higher right?",
            file=sys.stderr,
        )
    print(json.dumps(figures, allow_nan=False))


def _operating_point(prior_fake: float, miss: float, false_acceptance: float) -> OperatingPoint:
    try:
        return OperatingPoint(
            prior_fake=prior_fake, cost_miss=miss, cost_false_acceptance=false_acceptance
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
