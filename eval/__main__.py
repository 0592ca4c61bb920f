"""``python -m eval``: figures that a command prints."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from avdetect.errors import AvdetectError
from eval.datasets.command import datasets
from eval.exports.command import export
from eval.leading_silence_command import leading_silence
from eval.levels_command import levels
from eval.manifest.command import check, folds, manifest
from eval.metrics_command import metrics
from eval.run.cli import run

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Measure: score files, the shipped model on held-out clips, acceptance media.",
)


class Part(StrEnum):
    """A group of acceptance media."""

    CALLS = "calls"
    CLIPS = "clips"
    SCENES = "scenes"


app.command()(run)
app.command()(export)
app.command()(metrics)
app.command()(folds)
app.command()(manifest)
app.command()(check)
app.command()(datasets)
app.command()(levels)
app.command()(leading_silence)


@app.command()
def heldout(  # noqa: PLR0913, PLR0917 - one parameter an option
    set_name: Annotated[str, typer.Option("--set", help="voice-pool, voice-modern or video")],
    model: Annotated[str, typer.Option(help="bundle, as of avdetect --model")] = "default",
    out: Annotated[Path | None, typer.Option(help="folder; default eval/results")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="only so many clips")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="threads that scan at the same time")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    fresh: Annotated[bool, typer.Option("--fresh", help="throw old rows away")] = False,
    print_only: Annotated[
        bool, typer.Option("--print", help="recompute the tables from the results file")
    ] = False,
) -> None:
    """Scan held-out clips with the shipped detector, keep every verdict, print the tables."""
    from eval import heldout_command

    if print_only:
        print(heldout_command.print_tables(set_name, out))
        return
    options = heldout_command.Options(
        set_name=set_name, model=model, out=out, limit=limit, jobs=jobs, device=device, fresh=fresh
    )
    print(heldout_command.run(options))


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
