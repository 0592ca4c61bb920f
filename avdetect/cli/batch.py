"""``avdetect batch``: its options and help; `avdetect.cli.archive` does the work."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

BATCH_HELP = """Judge an archive: up to millions of files, one row each, resumable.

INPUTS is a folder (searched for media), or a manifest: a text file with one path per line, or a \
.csv, .jsonl or .parquet with a column 'path'; relative paths start at the manifest's folder. \
Either may be a URL such as s3://bucket/calls. The results, .parquet or .jsonl, hold exactly one \
row per input, also for what could not be judged. The same content is judged once, however often \
it lies.

A run that is interrupted, killed or out of disk goes on with the same command, and a later one \
judges only what is new. What it needs for that lies in OUT.journal: keep the two together.

\b
Examples:
  avdetect batch /archive/2026-10 --out october.parquet
  avdetect batch calls.csv --out results.jsonl --workers 8
  avdetect batch s3://calls/2026 --out 2026.parquet --engine ray --gpus 0.25

\b
Exit codes, the first that holds:
  2    wrong usage, or the model is missing or damaged, or the results cannot be written
  3    some input could not be judged: its row says why (inconclusive is an answer)
  0    every input was judged
  130  interrupted with Ctrl-C
"""


class EngineName(StrEnum):
    """Who works."""

    LOCAL = "local"
    RAY = "ray"


def batch(
    inputs: Annotated[str, typer.Argument(metavar="INPUTS", show_default=False)],
    out: Annotated[
        str,
        typer.Option(metavar="FILE", help="Results: *.parquet or *.jsonl.", show_default=False),
    ],
    journal: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Local journal; default OUT.journal.")
    ] = None,
    engine: Annotated[
        EngineName, typer.Option(help="Processes of this machine, or a running Ray cluster.")
    ] = EngineName.LOCAL,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Default: one a core, as far as the memory goes."),
    ] = None,
    gpus: Annotated[
        float, typer.Option(metavar="G", help="With --engine ray: share of a GPU per worker.")
    ] = 0.0,
    ray_address: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Of the Ray cluster.")
    ] = "auto",
    stall_limit: Annotated[
        float,
        typer.Option(metavar="S", help="Give a worker up after so long without a sign of life."),
    ] = 600.0,
    retry_crashed: Annotated[
        bool, typer.Option("--retry-crashed", help="Try again what killed its workers before.")
    ] = False,
    prior_fake: Annotated[
        float, typer.Option(metavar="P", help="How probable a fake is before looking.")
    ] = 0.5,
    channel: Annotated[
        str, typer.Option(metavar="left|right|N|all", help="Which sound channels to judge.")
    ] = "all",
    cues: Annotated[
        str,
        typer.Option(
            metavar="all|none|NAME,…", help="Forensic measurements to keep beside each verdict."
        ),
    ] = "none",
    raw_format: Annotated[
        str | None,
        typer.Option("--format", metavar="ulaw|alaw|s16le", help="Inputs are headerless sound."),
    ] = None,
    rate: Annotated[
        int | None, typer.Option(metavar="HZ", help="Of headerless sound, with --format.")
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="NAME", help="Model bundle, or the path of a bundle file.")
    ] = "default",
    device: Annotated[
        str, typer.Option(metavar="auto|cpu|cuda", help="Where the networks run.")
    ] = "auto",
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress and no summary.")
    ] = False,
) -> None:
    """Judge an archive."""
    from avdetect.cli.archive import BatchRequest, run_batch
    from avdetect.options import ScanOptions

    request = BatchRequest(
        inputs=inputs,
        out=out,
        journal=journal,
        engine=engine.value,
        workers=workers,
        gpus=gpus,
        ray_address=ray_address,
        stall_limit_s=stall_limit,
        retry_crashed=retry_crashed,
        model=str(Path(model).absolute()) if model.endswith(".toml") else model,
        device=device,
        options=ScanOptions(
            channel=channel, prior_fake=prior_fake, format=raw_format, rate=rate, cues=cues
        ),
        quiet=quiet,
    )
    raise typer.Exit(run_batch(request))
