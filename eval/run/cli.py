"""Options of ``python -m eval run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(  # noqa: PLR0913, PLR0917 - one parameter an option
    protocol: Annotated[str, typer.Argument(help="name below eval/protocols, or a .toml file")],
    data: Annotated[
        Path | None, typer.Option(help="data root; default $AVDETECT_DATA or ../shared")
    ] = None,
    model: Annotated[str, typer.Option(help="bundle, as of avdetect --model")] = "default",
    out: Annotated[Path | None, typer.Option(help="folder; default eval/results")] = None,
    levels: Annotated[
        str, typer.Option(help="degraded too: field, stress, all, or names of levels or families")
    ] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="only so many clips")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="threads that scan at the same time")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    fresh: Annotated[bool, typer.Option("--fresh", help="throw old rows away")] = False,
    print_only: Annotated[
        bool, typer.Option("--print", help="the tables again from the files; scan nothing")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="print an unfinished run, marked so")
    ] = False,
    peers: Annotated[
        list[Path] | None,
        typer.Option(help="further scores beside ours: id,score,direction, file or folder"),
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="bootstrap draws of each interval")] = 1000,
    plots: Annotated[bool, typer.Option(help="write DET, ROC, reliability, histograms")] = True,
) -> None:
    """Scan what a protocol measures, keep every verdict, print the tables."""
    from eval.run import command

    options = command.Options(
        protocol=protocol,
        data=data,
        model=model,
        out=out,
        levels=levels,
        limit=limit,
        jobs=jobs,
        device=device,
        fresh=fresh,
        partial=partial,
        peers=tuple(peers or ()),
        draws=draws,
        plots=plots,
    )
    print(command.print_tables(options) if print_only else command.run(options))
