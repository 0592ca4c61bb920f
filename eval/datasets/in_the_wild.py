"""In-the-Wild: real and cloned speech of public figures, from the web."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import inside, make_rows, pick
from eval.datasets.listing import read_table
from eval.manifest.row import ManifestRow

_KEYS: dict[str, Literal["real", "fake"]] = {"bona-fide": "real", "spoof": "fake"}


def read(root: Path) -> list[ManifestRow]:
    """Rows of ``meta.csv``; there are no parts: nothing of it may be trained on."""
    path = root / "meta.csv"
    return make_rows(path, read_table(path, ("file", "speaker", "label")), _row)


def _row(cells: dict[str, str]) -> ManifestRow:
    label = pick(cells["label"], _KEYS, "label")
    return ManifestRow(
        id=Path(cells["file"]).stem,
        path=inside(cells["file"]),
        label=label,
        audio_label=label,
        speaker=cells["speaker"],
        language="en",
        split="test",
    )


DATASET = Dataset(
    name="in_the_wild",
    title="In-the-Wild (2022)",
    read=read,
    layout="""\
meta.csv   file,speaker,label   (bona-fide or spoof)
0.wav 1.wav ...
""",
    splits=("test",),
    citations=(
        Citation(
            what="archive release_in_the_wild, English",
            where="huggingface.co/datasets/mueller91/In-The-Wild (authors' card)",
            confirmed=True,
        ),
        Citation(
            what="columns of meta.csv",
            where="users' loaders; Müller et al. 2022 (arXiv 2203.16263) does not print them",
            confirmed=False,
        ),
    ),
)
