"""The generators' property table, ``generators.toml``: what is known of each one's design."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

CAMERA = "camera"  # the source of a photograph that no generator made
UNKNOWN = "unknown"
PROPERTIES = (
    "family",
    "upsampling",
    "normalisation",
    "depth",
    "adversarial",
    "reconstruction",
    "perceptual",
    "diffusion",
)
_TABLE = Path(__file__).with_name("generators.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """One row.

    Attributes:
        name: its id in scores and results.
        title: for people.
        paper: address of the paper.
        repo: repository that its pictures are from.
        basis: ``code`` or ``paper``: what the properties were read from.
        properties: one of `PROPERTIES` -> value, `UNKNOWN` where it is not established.
        note: what a reader must know, or "".
    """

    name: str
    title: str
    paper: str
    repo: str
    basis: str
    properties: dict[str, str]
    note: str = ""


@lru_cache(maxsize=1)
def generators() -> dict[str, Generator]:
    """All rows by name, in the order of the file."""
    rows = tomllib.loads(_TABLE.read_text("utf-8"))["generator"]
    return {
        row["name"]: Generator(properties={name: row.pop(name) for name in PROPERTIES}, **row)
        for row in rows
    }


def title_of(source: str) -> str:
    """A source in words: a generator's title, or that of no generator."""
    if source == CAMERA:
        return "camera (no generator's trace found)"
    found = generators().get(source)
    return found.title if found else source
