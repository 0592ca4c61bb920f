"""Speech of public demo pages: ``data/audio`` of the project's own data folder."""

from __future__ import annotations

from pathlib import Path

from avdetect.types import Segment
from eval.datasets.base import Citation, Dataset
from eval.datasets.listing import one_of, read_table
from eval.manifest.row import ManifestRow, Truth

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
_TRUTH: dict[str, Truth] = {"bonafide": "real", "spoof": "fake"}
_NOBODY = "wwb-unknown"  # all voices of one source, whoever they are


def read(root: Path) -> list[ManifestRow]:
    """Rows of the three tables; `ManifestRow.id` is their ``file``; a fake is fake throughout."""
    folder = root / "data" / "audio"
    return [
        _row(cells, folder / name)
        for name in _TABLES
        for cells in read_table(folder / name, _COLUMNS)
    ]


def _row(cells: dict[str, str], table: Path) -> ManifestRow:
    truth = one_of(table, "label", cells["label"], _TRUTH)
    fake = truth == "fake"
    extra = table.name == "extra.csv"
    duration_s = float(cells["duration_s"])
    return ManifestRow(
        id=cells["file"],
        path=f"data/audio/{cells['file']}",
        label="fake" if fake else "real",
        audio_label=truth,
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
