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
_WORDS = ("dataset", "manifest", "peers")
_LISTS = ("splits", "answers", "held_out", "conditions")
_TABLES = ("sets", "folds", "roles", "train_only")


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
        if not (self.splits and self.answers):
            raise ValueError("splits and answers must name at least one each")


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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: not TOML: {error}") from error
    unknown = set(table) - {"title", "point", *_WORDS, *_LISTS, *_TABLES}
    if unknown or "title" not in table or len({"dataset", "manifest"} & set(table)) != 1:
        raise ManifestError(
            f"{path}: unknown keys {sorted(unknown)}, or no title, or neither dataset nor manifest "
            "or both of them"
        )
    try:
        return Protocol(**_typed(table), name=path.stem, text=text)
    except (TypeError, ValueError) as error:
        raise ManifestError(f"{path}: {error}") from error


def _typed(table: dict[str, Any]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for key, value in table.items():
        if key in (*_TABLES, "point") and not isinstance(value, dict):
            raise ValueError(f"{key} must be a table, as [{key}]: {value!r}")
        if key == "point":
            typed[key] = OperatingPoint(**value)
        elif key in _TABLES:
            typed[key] = {name: _words(f"{key}.{name}", words) for name, words in value.items()}
        elif key in _LISTS:
            typed[key] = _words(key, value)
        elif isinstance(value, str):
            typed[key] = value
        else:
            raise ValueError(f"{key} must be text: {value!r}")
    return typed


def _words(key: str, value: object) -> tuple[str, ...]:
    """A list of text; a single text would pass for a list of its letters."""
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError(f'{key} must be a list of text, as ["a", "b"]: {value!r}')
    return tuple(value)
