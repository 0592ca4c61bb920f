"""``avdetect models``: what is embedded, what its cards say, whether its bytes are whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from avdetect.errors import CheckpointError, UsageError
from avdetect.report.words import plain


def list_models() -> None:
    """Print bundles with their checkpoints, then every checkpoint with its summary."""
    from avdetect.checkpoint import list_bundles, list_checkpoints, read_bundle, read_card

    for name in list_bundles():
        typer.echo(f"bundle {plain(name)}")
        for role, checkpoint in read_bundle(name).checkpoints.items():
            typer.echo(plain(f"    {role:<16} {checkpoint}"))
    for name in list_checkpoints():
        card = read_card(name)
        typer.echo(plain(f"model  {name}  [{card.role}, {card.licence}]  {card.summary}"))


def show_model(name: str) -> None:
    """Print a bundle's or a checkpoint's card, one fact a line."""
    from avdetect.checkpoint import list_bundles, list_checkpoints, read_bundle, read_card

    if name in list_bundles():
        bundle = read_bundle(name)
        facts: dict[str, Any] = {"checkpoints": bundle.checkpoints, "decision": bundle.decision}
    elif name in list_checkpoints():
        facts = read_card(name).facts
    else:
        at_hand = ", ".join([*list_bundles(), *list_checkpoints()])
        raise CheckpointError(f"no model {name!r}; there are: {at_hand}")
    typer.echo(plain(name))
    for line in _fact_lines(facts):
        typer.echo(f"    {line}")


def verify_models(name: str | None) -> int:
    """Check hashes of one checkpoint, of a bundle's checkpoints, or of all; returns exit code."""
    from avdetect.checkpoint import list_bundles, list_checkpoints, read_bundle, verify_checkpoint

    names = list_checkpoints() if name is None else [name]
    if name is not None and name in list_bundles():
        names = list(read_bundle(name).checkpoints.values())
    if not names:
        raise CheckpointError("no models at hand to verify; restore the models folder")
    code = 0
    for each in dict.fromkeys(names):
        try:
            typer.echo(plain(f"ok      {each}  sha256 {verify_checkpoint(each)}"))
        except CheckpointError as error:
            typer.echo(plain(f"FAILED  {each}  {error}"))
            code = error.exit_code
    return code


def import_model(layout: str, path: Path, name: str | None, out: Path | None) -> None:
    """Bring a published checkpoint into our form and say what is still to do."""
    from avdetect.checkpoint import models_dir
    from avdetect.foreign_checkpoints import LAYOUTS, import_checkpoint

    name = name or f"{LAYOUTS[layout].role}-{path.stem.lower()}-imported"
    if Path(name).name != name or name == "..":
        raise UsageError(f"--name {name!r}: want a folder's name; --out says where it goes")

    folder = import_checkpoint(layout, path, (out if out is not None else models_dir()) / name)
    typer.echo(plain(f"wrote {folder}"))
    typer.echo(LAYOUTS[layout].to_do)


def _fact_lines(facts: dict[str, Any], indent: str = "") -> list[str]:
    lines: list[str] = []
    for key, value in facts.items():
        if isinstance(value, dict):
            lines += [plain(f"{indent}{key}:"), *_fact_lines(value, indent + "    ")]
        else:
            lines.append(plain(f"{indent}{key}: {value}"))
    return lines
