"""``python -m eval datasets``: what can be read, and how it must lie on the disk."""

from __future__ import annotations

from typing import Annotated

import typer

from eval.datasets.table import datasets_markdown, datasets_text


def datasets(
    markdown: Annotated[
        bool,
        typer.Option("--markdown", help="with layouts and citations: eval/datasets/README.md"),
    ] = False,
) -> None:
    """List the data sets that have a reader."""
    print(datasets_markdown() if markdown else datasets_text(), end="" if markdown else "\n")
