"""Frozen splits of the data folder, read from ``eval/protocols``; nothing else may choose rows."""

from __future__ import annotations

import tomllib
from pathlib import Path

from eval.shared_data import read_rows

_PROTOCOLS = Path(__file__).resolve().parent / "protocols"
Row = dict[str, str]


def protocol(name: str) -> dict[str, dict[str, list[str]]]:
    """A protocol file as nested tables."""
    return tomllib.loads((_PROTOCOLS / f"{name}.toml").read_text("utf-8"))


def video_split() -> tuple[list[Row], list[Row]]:
    """Rows of ``data/video/clips.csv`` as (development: real only, test: real and fake)."""
    table = protocol("first_video")["video"]
    development, excluded = set(table["development_sources"]), set(table["excluded_sources"])
    rows = read_rows("data/video/clips.csv")
    return (
        [row for row in rows if row["source_repo"] in development and row["label"] == "real"],
        [row for row in rows if row["source_repo"] not in development | excluded],
    )
