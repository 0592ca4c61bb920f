"""LAV-DF: VoxCeleb2 clips with single words forged in sound, picture or both."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import first_there, inside, make_rows, read_entries, segments
from eval.manifest.row import ManifestRow

_FILES = ("metadata.json", "metadata.min.json")
_KEYS = (
    "file",
    "fake_periods",
    "duration",
    "original",
    "modify_video",
    "modify_audio",
    "split",
)
_KINDS = {(True, True): "audio-visual", (True, False): "visual", (False, True): "audio"}


def read(root: Path) -> list[ManifestRow]:
    """Rows of ``metadata.json`` (or the ``.min`` of it); forged parts are in seconds."""
    path = first_there(root, _FILES)
    return make_rows(path, read_entries(path, _KEYS), _row)


def _row(entry: dict[str, Any]) -> ManifestRow:
    video, audio = bool(entry["modify_video"]), bool(entry["modify_audio"])
    path = inside(entry["file"])
    return ManifestRow(
        id=path,
        path=path,
        label="fake" if video or audio else "real",
        audio_label="fake" if audio else "real",
        video_label="fake" if video else "real",
        fake_segments=segments(entry["fake_periods"]),
        source=PurePosixPath(entry["original"] or path).stem,
        kind=_KINDS.get((video, audio), ""),
        duration_s=float(entry["duration"]),
        split=str(entry["split"]),
    )


DATASET = Dataset(
    name="lavdf",
    title="LAV-DF (Cai et al. 2022)",
    read=read,
    layout="""\
metadata.json or metadata.min.json   list of file, fake_periods [s], modify_video, modify_audio, ...
train/  dev/  test/                  <number>.mp4
""",
    splits=("train", "dev", "test"),
    citations=(
        Citation(
            what="metadata.min.json beside the split folders; its keys; fake_periods in seconds",
            where="ControlNet/LAV-DF dataset/lavdf.py",
            confirmed=True,
        ),
        Citation(
            what="a fake's ``original`` names the real file that it was made from",
            where="independent readers of the release, agreeing",
            confirmed=False,
        ),
    ),
)
