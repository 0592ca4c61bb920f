"""Deepfake Detection Challenge: paid actors with swapped faces, and voices in clips not named."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Literal

from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import inside, make_rows, pick, read_json, relative
from eval.datasets.listing import read_table
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow

_PART = "dfdc_train_part_"
_SAMPLE = "train_sample_videos"  # of Kaggle: 400 clips of the first part
_LISTED = ("validation", "test")
_TRAIN_LABELS: dict[str, Literal["real", "fake"]] = {"REAL": "real", "FAKE": "fake"}
_LABELS: dict[str, Literal["real", "fake"]] = {"0": "real", "1": "fake"}


def read(root: Path) -> list[ManifestRow]:
    """Rows of each training part's ``metadata.json`` and of the ``labels.csv`` of the others."""
    rows: list[ManifestRow] = []
    for path in sorted(root.rglob("metadata.json")):
        if path.parent.name.startswith((_PART, _SAMPLE)):
            entries = read_json(path, dict).items()
            rows += make_rows(path, entries, partial(_train_row, folder=_folder(path, root)))
    for split in _LISTED:
        path = root / split / "labels.csv"
        if path.exists():
            cells = read_table(path, ("filename", "label"))
            rows += make_rows(path, cells, partial(_listed_row, split=split))
    if not rows:
        raise ManifestError(
            f"{root}: expected {_PART}<number>/metadata.json or test/labels.csv below it; "
            "found neither"
        )
    return rows


def _folder(path: Path, root: Path) -> str:
    return relative(path.parent, root)


def _train_row(item: tuple[str, dict[str, Any]], folder: str) -> ManifestRow:
    file, entry = item
    label = pick(entry["label"], _TRAIN_LABELS, "label")
    return _row(inside(folder, file), label, entry.get("original") or file, entry["split"])


def _listed_row(cells: dict[str, str], split: str) -> ManifestRow:
    file = cells["filename"]
    return _row(inside(split, file), pick(cells["label"], _LABELS, "label"), file, split)


def _row(path: str, label: Literal["real", "fake"], original: str, split: str) -> ManifestRow:
    # A fake one has a forged face, a forged voice or both: only of a real one both are known.
    parts: Literal["real", ""] = "real" if label == "real" else ""
    return ManifestRow(
        id=path,
        path=path,
        label=label,
        audio_label=parts,
        video_label=parts,
        source=Path(original).stem,
        split=split,
    )


DATASET = Dataset(
    name="dfdc",
    title="Deepfake Detection Challenge (Dolhansky et al. 2020)",
    read=read,
    layout="""\
**/dfdc_train_part_<number>/metadata.json   {file: {label: REAL or FAKE, split, original}}
**/dfdc_train_part_<number>/*.mp4
validation/labels.csv  test/labels.csv      filename,label (1 is fake)
validation/*.mp4       test/*.mp4
""",
    splits=("train", "validation", "test"),
    citations=(
        Citation(
            what="metadata.json of a part: file -> label, split, original",
            where="readers of the release, agreeing; the data page is behind a login",
            confirmed=False,
        ),
        Citation(
            what="test/labels.csv with filename and label, 1 is fake",
            where="OUC-VAS/Celeb-DF-PP DeepfakeBench/preprocessing/rearrange.py (DeepfakeBench)",
            confirmed=False,
        ),
    ),
)
