"""Speech of public demo pages: ``data/audio`` of the project's own data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from avdetect.types import Segment
from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import make_rows, pick
from eval.datasets.listing import read_table
from eval.manifest.row import ManifestRow

OPUS = "opus_24"  # quality of extra.csv: one 24 kb/s Opus encoding, human clips only
_TABLES = ("train.csv", "extra.csv", "modern.csv")
_COLUMNS = (
    "file",
    "label",
    "generator",
    "family",
    "speaker",
    "language",
    "source_repo",
    "original_rate_hz",
    "original_codec",
    "duration_s",
)
_TRUTH: dict[str, Literal["real", "fake"]] = {"bonafide": "real", "spoof": "fake"}
_NOBODY = "wwb-unknown"  # all voices of one source, whoever they are


def read(root: Path) -> list[ManifestRow]:
    """Rows of the three tables; `ManifestRow.id` is their ``file``; a fake is fake throughout."""
    folder = root / "data" / "audio"
    return [row for name in _TABLES for row in _read_table(folder / name)]


def _read_table(path: Path) -> list[ManifestRow]:
    extra = path.name == "extra.csv"
    return make_rows(path, read_table(path, _COLUMNS), lambda cells: _row(cells, extra=extra))


def _row(cells: dict[str, str], *, extra: bool) -> ManifestRow:
    label = pick(cells["label"], _TRUTH, "label")
    fake = label == "fake"
    duration_s = float(cells["duration_s"])
    return ManifestRow(
        id=cells["file"],
        path=f"data/audio/{cells['file']}",
        label=label,
        audio_label=label,
        fake_segments=(Segment(0.0, duration_s),) if fake else (),
        speaker="" if cells["speaker"] == _NOBODY else cells["speaker"],
        source=cells["source_repo"],
        generator=cells["generator"] if fake else "",
        kind=cells["family"] if fake else "",
        language="" if cells["language"] == "und" else cells["language"],
        quality=OPUS if extra else "",
        codec="opus" if extra else cells["original_codec"],
        rate_hz=int(cells["original_rate_hz"]),
        duration_s=duration_s,
    )


DATASET = Dataset(
    name="demo_voices",
    title="Speech of public demo pages, 2017-2024",
    read=read,
    layout="""\
data/audio/
  train.csv  train/*.flac    human clips, and synthetic ones of 2017-2023
  extra.csv  extra/*.opus    more human clips: for training only
  modern.csv modern/*.flac   human clips, and synthetic ones of 2022-2024
""",
    splits=(),
    citations=(Citation(what="layout", where="README of the data folder", confirmed=True),),
)
