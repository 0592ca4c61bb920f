"""Deepfake-Eval-2024: videos and sounds that went round the web in 2024, labelled by hand."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import first_there, inside, make_rows, pick
from eval.datasets.listing import read_table
from eval.manifest.row import ManifestRow, Truth

_MEDIA = ("video", "audio")
_SUFFIXES = ("", "-with-links")
_TRUTHS: dict[str, Truth] = {"real": "real", "fake": "fake", "unknown": "", "": ""}
_SPLITS = {"train": "train", "test": "test", "": ""}


def read(root: Path) -> list[ManifestRow]:
    """Rows of the video and of the audio table, whichever are there.

    What the annotators could not tell is no row: it has no label.
    """
    tables = {media: _names(media) for media in _MEDIA}
    first_there(root, [name for names in tables.values() for name in names])
    rows: list[ManifestRow] = []
    for media, names in tables.items():
        if any((root / name).exists() for name in names):
            path = first_there(root, names)
            cells = read_table(path, ("Filename", _truth_column(media), "Finetuning Set"))
            rows += make_rows(path, cells, partial(_row, media=media))
    return rows


def _names(media: str) -> list[str]:
    return [f"{media}-metadata-publish{suffix}.csv" for suffix in _SUFFIXES]


def _truth_column(media: str) -> str:
    return "Video Ground Truth" if media == "video" else "Ground Truth"


def _row(cells: dict[str, str], media: str) -> ManifestRow | None:
    columns = [name for name in cells if name.endswith("Ground Truth")]
    truths = {name: pick(cells[name].lower(), _TRUTHS, name) for name in columns}
    if not any(truths.values()):
        return None
    sound = "Audio Ground Truth" if media == "video" else "Ground Truth"
    path = inside(f"{media}-data", cells["Filename"])
    return ManifestRow(
        id=path,
        path=path,
        label="fake" if "fake" in truths.values() else "real",
        audio_label=truths.get(sound, ""),
        video_label=truths.get("Video Ground Truth", ""),
        split=pick(cells["Finetuning Set"].lower(), _SPLITS, "Finetuning Set"),
    )


DATASET = Dataset(
    name="deepfake_eval_2024",
    title="Deepfake-Eval-2024 (Chandra et al. 2025)",
    read=read,
    layout="""\
video-metadata-publish.csv   Filename, Video Ground Truth, Finetuning Set, ...
audio-metadata-publish.csv   Filename, Ground Truth, Finetuning Set, ...
                             (either also as ...-publish-with-links.csv)
video-data/  audio-data/     <Filename>
""",
    splits=("train", "test"),
    citations=(
        Citation(
            what="tables, columns, words of the labels, media folders",
            where="independent readers of the release, agreeing; the release is behind a form",
            confirmed=False,
        ),
    ),
)
