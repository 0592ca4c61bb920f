"""Frozen split of the speech clips: training, development, held out, and the modern set."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from eval.shared_data import read_rows
from eval.splits import Row

FOLDER = "data/audio"  # where the ``file`` column of every row starts


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceSplit:
    """Rows of ``train.csv`` and ``extra.csv`` by part; every row keeps the columns of its CSV.

    Attributes:
        training: clips a network may see, human clips of ``extra.csv`` included.
        development: clips of other sources, by which an epoch may be chosen.
        held_out: clips of other sources, speakers and generators; measured only.
    """

    training: list[Row]
    development: list[Row]
    held_out: list[Row]


def is_fake(row: Row) -> bool:
    """True for synthetic speech."""
    return row["label"] == "spoof"


def voice_split() -> VoiceSplit:
    """The split of ``protocols/first_voice.toml``; raises `DataNotFoundError` without the data."""
    path = Path(__file__).resolve().parent / "protocols" / "first_voice.toml"
    table = tomllib.loads(path.read_text("utf-8"))["voice"]
    held_sources, dev_sources = set(table["held_out_sources"]), set(table["development_sources"])
    rows = read_rows(f"{FOLDER}/train.csv")
    held_out = [row for row in rows if row["source_repo"] in held_sources]
    used_up = {row["generator"] for row in held_out if is_fake(row)}
    kept = [
        row
        for row in rows + read_rows(f"{FOLDER}/extra.csv")
        if row["source_repo"] not in held_sources and row["generator"] not in used_up
    ]
    return VoiceSplit(
        training=[row for row in kept if row["source_repo"] not in dev_sources],
        # extra.csv is Opus-coded: good for training, not for measuring.
        development=[
            row
            for row in kept
            if row["source_repo"] in dev_sources and not row["file"].startswith("extra/")
        ],
        held_out=held_out,
    )


def modern_rows() -> list[Row]:
    """Clips of newer generators from four other repositories; measured only."""
    return read_rows(f"{FOLDER}/modern.csv")
