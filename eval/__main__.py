"""``python -m eval``: figures that a command prints."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from avdetect.errors import AvdetectError
from eval.attacks.command import attacks
from eval.cues.command import cues
from eval.datasets.command import datasets
from eval.exports.command import export
from eval.leading_silence_command import leading_silence
from eval.levels_command import levels
from eval.manifest.command import check, folds, manifest
from eval.metrics_command import metrics
from eval.reference_command import reference_figures
from eval.run.cli import run
from eval.sealing.command import seal_figures
from eval.streaming.command import stream_agreement, stream_bench
from eval.tracing.command import trace_figures
from eval.watermark_command import watermark_figures

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Measure: score files, a model over a protocol, manifests, acceptance media.",
)


class Part(StrEnum):
    """A group of acceptance media."""

    CALLS = "calls"
    CLIPS = "clips"
    SCENES = "scenes"


app.command()(run)
app.command()(cues)
app.command()(export)
app.command()(metrics)
app.command()(folds)
app.command()(manifest)
app.command()(check)
app.command()(datasets)
app.command()(levels)
app.command()(attacks)
app.command()(leading_silence)
app.command()(stream_agreement)
app.command()(stream_bench)
app.command()(trace_figures)
app.command()(seal_figures)
app.command()(watermark_figures)
app.command()(reference_figures)


@app.command()
def compose(
    out_dir: Annotated[Path, typer.Argument(help="folder to write into, made if it is not there")],
    only: Annotated[list[Part] | None, typer.Option(help="part to build; default all")] = None,
    long: Annotated[
        bool, typer.Option("--long", help="also the 120-minute call and the 10-minute video")
    ] = False,
) -> None:
    """Build the acceptance media from the data folder, with what is true of each in truth.json."""
    from eval.compose import PARTS, compose_all

    for path in compose_all(out_dir, parts=only or PARTS, long=long):
        print(path)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    try:
        app(arguments, prog_name="python -m eval")
    except AvdetectError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
