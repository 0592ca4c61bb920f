"""PartialSpoof: short synthetic segments spliced into human speech of ASVspoof 2019."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avdetect.types import Segment
from eval.datasets.asvspoof2019_la import KEYS
from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import make_rows, pick
from eval.datasets.listing import read_words
from eval.datasets.pickled_labels import read_pickled_labels
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow

_WORDS = ("speaker", "name", "-", "system", "key")
_SPLITS = ("train", "dev", "eval")
_FRAMES_S = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64)
_OFFICIAL = "nii-yamagishilab/PartialSpoof"


def read(root: Path) -> list[ManifestRow]:
    """Rows of the three protocols; segments from the finest frame labels that are there.

    Args:
        root: the folder ``database``.
    """
    return [row for split in _SPLITS for row in _read_split(root, split)]


def spoofed_segments(labels: NDArray[np.int64], frame_s: float) -> tuple[Segment, ...]:
    """Runs of frames labelled 0 (spoof; 1 is bona fide) as segments.

    Args:
        labels: (T,) 0 or 1, one a frame.
        frame_s: length of a frame in seconds.
    """
    spoofed = np.concatenate(([0], labels == 0, [0])).astype(np.int64)
    edges = np.flatnonzero(np.diff(spoofed)).reshape(-1, 2)
    # Rounded to a tenth of a millisecond: 3 frames of 0.01 s are 0.03 s, not 0.0300...04.
    return tuple(
        Segment(round(float(start) * frame_s, 4), round(float(end) * frame_s, 4))
        for start, end in edges
    )


def _read_split(root: Path, split: str) -> list[ManifestRow]:
    path = (
        root / "protocols" / "PartialSpoof_LA_cm_protocols" / f"PartialSpoof.LA.cm.{split}.trl.txt"
    )
    listed = read_words(path, _WORDS)
    labels, frame_s = _frame_labels(root / "segment_labels", split)
    return make_rows(
        path, listed, lambda cells: _row(cells, split, _segments(cells, labels, frame_s))
    )


def _frame_labels(folder: Path, split: str) -> tuple[Mapping[str, NDArray[np.int64]], float]:
    for frame_s in _FRAMES_S:
        path = folder / f"{split}_seglab_{frame_s:.2f}.npy"
        if path.is_file():
            return read_pickled_labels(path), frame_s
    raise ManifestError(
        f"{folder}: no {split}_seglab_0.01.npy, nor of a longer frame: expected the labels of "
        "database_segment_labels_v1.2.tar.gz"
    )


def _segments(
    cells: dict[str, str], labels: Mapping[str, NDArray[np.int64]], frame_s: float
) -> tuple[Segment, ...]:
    if cells["name"] not in labels:
        raise ValueError(f"{cells['name']} has no frame labels")
    found = spoofed_segments(labels[cells["name"]], frame_s)
    if bool(found) != (cells["key"] == "spoof"):
        raise ValueError(
            f"{cells['name']} is {cells['key']} with {len(found)} spoofed segments: "
            "expected frame labels with 0 for spoof and 1 for bona fide"
        )
    return found


def _row(cells: dict[str, str], split: str, segments: tuple[Segment, ...]) -> ManifestRow:
    label = pick(cells["key"], KEYS, "key")
    return ManifestRow(
        id=cells["name"],
        path=f"{split}/con_wav/{cells['name']}.wav",
        label=label,
        audio_label=label,
        fake_segments=segments,
        speaker=cells["speaker"],
        generator="" if label == "real" else cells["system"],
        kind="" if label == "real" else "splice",
        language="en",
        codec="wav",
        rate_hz=16000,
        split=split,
    )


DATASET = Dataset(
    name="partialspoof",
    title="PartialSpoof (2023), database v1.2",
    read=read,
    layout="""\
protocols/PartialSpoof_LA_cm_protocols/
  PartialSpoof.LA.cm.train|dev|eval.trl.txt   SPEAKER NAME - SYSTEM bonafide|spoof
segment_labels/train|dev|eval_seglab_0.01.npy  pickled {NAME: frame labels, 1 bona fide, 0 spoof}
train|dev|eval/con_wav/NAME.wav
""",
    splits=_SPLITS,
    citations=(
        Citation(
            what="folders, archives",
            where=f"{_OFFICIAL}: README.md, 01_download_database.sh",
            confirmed=True,
        ),
        Citation(
            what="label files, 0 spoof and 1 bona fide",
            where=f"{_OFFICIAL}: 03multireso/model.py, 03multireso/README.md",
            confirmed=True,
        ),
        Citation(
            what="protocols, with name and class in columns 2 and 5",
            where="zlin0/wedefense (first author): egs/detection/partialspoof, prepare_data.sh",
            confirmed=True,
        ),
        Citation(
            what="speaker and system in columns 1 and 4",
            where="users' loaders, as ASVspoof 2019 LA",
            confirmed=False,
        ),
    ),
    held_out=("speaker",),
)
