"""Talking heads of public pages: ``data/video/clips.csv`` of the project's own data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from avdetect.types import Segment
from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import make_rows, pick
from eval.datasets.listing import read_table
from eval.manifest.row import ManifestRow, Truth

_COLUMNS = (
    "file",
    "audio_file",
    "label",
    "video_label",
    "audio_label",
    "fake_kind",
    "generator",
    "has_audio",
    "identity",
    "language",
    "source_repo",
    "duration_s",
    "src_codec",
    "note",
)
_TRUTH: dict[str, Literal["real", "fake"]] = {"real": "real", "fake": "fake"}
_SOUND: dict[str, Truth] = {"real": "real", "cloned": "fake", "unknown": "", "none": ""}


def read(root: Path) -> list[ManifestRow]:
    """Rows of the table; `ManifestRow.id` is its ``file``, fakes are forged from end to end.

    A voice-only fake has ``video_label`` real. ``quality`` holds the table's note, such as a known
    lag between picture and sound.
    """
    table = root / "data" / "video" / "clips.csv"
    return make_rows(table, read_table(table, _COLUMNS), _row)


def _row(cells: dict[str, str]) -> ManifestRow:
    label = pick(cells["label"], _TRUTH, "label")
    duration_s = float(cells["duration_s"])
    identity = cells["identity"]
    has_audio = cells["has_audio"] == "yes"
    return ManifestRow(
        id=cells["file"],
        path=f"data/video/{cells['file']}",
        audio_path=f"data/video/{cells['audio_file']}" if has_audio else "",
        label=label,
        audio_label=pick(cells["audio_label"], _SOUND, "audio_label"),
        video_label=pick(cells["video_label"], _TRUTH, "video_label"),
        fake_segments=(Segment(0.0, duration_s),) if label == "fake" else (),
        identity="" if identity.endswith("?") else identity,
        source=cells["source_repo"],
        generator=cells["generator"],
        kind=cells["fake_kind"],
        language=cells["language"],
        quality=cells["note"],
        codec=cells["src_codec"],
        duration_s=duration_s,
    )


DATASET = Dataset(
    name="talking_heads",
    title="Talking heads of public pages",
    read=read,
    layout="""\
data/video/
  clips.csv
  clips/*/*.mp4    picture, silent
  clips/*/*.opus   its sound, from the same start
""",
    splits=(),
    citations=(Citation(what="layout", where="README of the data folder", confirmed=True),),
)
