"""A frozen protocol: which clips, who trains on them, who is measured, at which point."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from eval.errors import ManifestError
from eval.manifest.leaks import HOLDABLE
from eval.manifest.row import ManifestRow
from eval.metrics import OperatingPoint

PROTOCOLS = Path(__file__).resolve().parent / "protocols"


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """The contents of one file in ``eval/protocols``.

    Attributes:
        name: of the file, without ``.toml``.
        title: shown above its tables.
        dataset: key of `eval.datasets.DATASETS`, or empty where ``manifest`` is given.
        manifest: CSV or Parquet file relative to the data root, or empty.
        splits: which `ManifestRow.split` is measured, such as ``("test",)``.
        answers: names of `eval.answers.ANSWERS` whose figures are printed.
        held_out: row fields that no two splits may share: any of speaker, identity, source,
            generator.
        conditions: row fields that get a table of their own.
        sets: name -> folds that are pooled into one figure, where the data is cut into folds.
        folds: name -> sources, frozen.
        roles: ``train``, ``calibration``, ``test`` -> folds, of what we ship.
        train_only: row field -> values of rows that may be trained on and are never measured.
        point: operating point of both costs.
        peers: ``audio`` or ``video`` where published detectors' scores stand beside ours.
        text: whole file, hashed into every result.
    """

    name: str
    title: str
    dataset: str = ""
    manifest: str = ""
    splits: tuple[str, ...] = ("test",)
    answers: tuple[str, ...] = ("fused",)
    held_out: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ("generator",)
    sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    folds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    train_only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    point: OperatingPoint = field(default_factory=OperatingPoint)
    peers: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        wrong = sorted(set(self.held_out) - set(HOLDABLE))
        wrong += sorted(set(self.train_only) - {field.name for field in fields(ManifestRow)})
        if wrong:
            raise ValueError(f"held_out or train_only names no such field: {', '.join(wrong)}")


def read_protocol(name: str) -> Protocol:
    """A protocol by name (of ``eval/protocols``) or by path; an unknown key is refused.

    Raises:
        ManifestError: no such protocol, no TOML, an unknown key or a wrong type.
    """
    path = Path(name) if name.endswith(".toml") else PROTOCOLS / f"{name}.toml"
    try:
        text = path.read_text("utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        known = ", ".join(sorted(p.stem for p in PROTOCOLS.glob("*.toml")))
        raise ManifestError(f"no protocol {name!r} ({path}); there are: {known}") from error
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{path}: not TOML: {error}") from error
    unknown = set(table) - {f.name for f in fields(Protocol)} - {"name", "text"}
    if unknown or not ({"dataset", "manifest"} & set(table)) or "title" not in table:
        raise ManifestError(
            f"{path}: unknown keys {sorted(unknown)}, or no title, or neither dataset nor manifest"
        )
    try:
        return Protocol(**_typed(table), name=path.stem, text=text)
    except (TypeError, ValueError, AttributeError) as error:
        raise ManifestError(f"{path}: {error}") from error


def _typed(table: dict[str, Any]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for key, value in table.items():
        if key == "point":
            typed[key] = OperatingPoint(**value)
        elif isinstance(value, list):
            typed[key] = tuple(value)
        elif isinstance(value, dict):
            typed[key] = {name: tuple(entries) for name, entries in value.items()}
        else:
            typed[key] = value
    return typed
