"""``python -m eval folds | manifest | check``: who stands where, and whether anything leaks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from avdetect.errors import UsageError
from eval.datasets.read import protocol_rows, read_dataset
from eval.manifest.file import read_manifest, write_manifest
from eval.manifest.folds_text import folds_text
from eval.manifest.leaks import HOLDABLE, UNUSED, refuse_leaks
from eval.protocol import read_protocol
from eval.shared_data import shared_root

Data = Annotated[
    Path | None, typer.Option("--data", help="folder of the data; default $AVDETECT_DATA")
]


def folds(
    protocol: Annotated[str, typer.Argument(metavar="PROTOCOL", help="name, or path of a .toml")],
    data: Data = None,
) -> None:
    """Print the frozen groups of a protocol, what ties them, and what could not be cut."""
    frozen = read_protocol(protocol)
    print(folds_text(protocol_rows(frozen, data or shared_root()), frozen))


def manifest(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="name, as in eval datasets")],
    out: Annotated[Path, typer.Option(help=".csv or .parquet to write")],
    data: Data = None,
) -> None:
    """Read a data set in its published layout and write it as one manifest."""
    root = data or shared_root()
    rows = read_dataset(dataset, root)
    write_manifest(out, rows)
    absent = sum(not (root / row.path).is_file() for row in rows)
    print(f"{out}: {len(rows)} rows, {absent} without their file")


def check(
    manifest_file: Annotated[Path, typer.Argument(metavar="MANIFEST", help=".csv or .parquet")],
    held_out: Annotated[
        list[str] | None,
        typer.Option(help=f"what no two splits may share, of {', '.join(HOLDABLE)}; with commas"),
    ] = None,
) -> None:
    """Validate a manifest and refuse it if two splits share a file or what is held out."""
    fields = [word.strip() for words in held_out or () for word in words.split(",")]
    unknown = sorted(set(fields) - set(HOLDABLE))
    if unknown:
        raise UsageError(f"--held-out {unknown[0]}: must be one of {', '.join(HOLDABLE)}")
    rows = read_manifest(manifest_file)
    refuse_leaks(rows, fields, name=str(manifest_file))
    counts = Counter((row.split or "(no split)", row.label) for row in rows)
    for (split, label), n in sorted(counts.items()):
        print(f"{split:<12} {label:<5} {n}")
    if len({row.split for row in rows} - {"", UNUSED}) < 2:
        print("fewer than two splits: there is nothing that could leak")
    else:
        print(f"no leaks in {', '.join([*fields, 'id', 'file'])}")
