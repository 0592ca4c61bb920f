"""MLAAD: synthetic speech of many text-to-speech models in many languages, without human speech."""

from __future__ import annotations

from pathlib import Path

from avdetect.types import Segment
from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import inside, make_rows
from eval.datasets.listing import read_unquoted
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow

_COLUMNS = ("path", "original_file", "language", "duration", "model_name", "architecture")


def read(root: Path) -> list[ManifestRow]:
    """Rows of every ``meta.csv``, all of them fake; ``source`` is the recording whose text is read.

    Human speech for a comparison is M-AILABS, which is not part of MLAAD.
    """
    lists = sorted((root / "fake").glob("*/*/meta.csv"))
    if not lists:
        raise ManifestError(
            f"{root}: no fake/LANGUAGE/MODEL/meta.csv; point at the folder that holds fake/"
        )
    return [row for path in lists for row in _read_list(path, root)]


def _read_list(path: Path, root: Path) -> list[ManifestRow]:
    folder = path.parent.relative_to(root).as_posix()
    return make_rows(path, read_unquoted(path, _COLUMNS), lambda cells: _row(cells, folder))


def _row(cells: dict[str, str], folder: str) -> ManifestRow:
    # Paths start at the data set's root; where they are bare names, at their meta.csv.
    name = inside(cells["path"])
    path = name if "/" in name else f"{folder}/{name}"
    duration_s = float(cells["duration"])
    return ManifestRow(
        id=path.removeprefix("fake/").rsplit(".", 1)[0],
        path=path,
        label="fake",
        audio_label="fake",
        fake_segments=(Segment(0.0, duration_s),),
        source=cells["original_file"],
        generator=cells["model_name"],
        kind=cells["architecture"],
        language=cells["language"],
        duration_s=duration_s,
        split="test",
    )


DATASET = Dataset(
    name="mlaad",
    title="MLAAD (2024)",
    read=read,
    layout="""\
fake/LANGUAGE/MODEL/
  meta.csv   path|original_file|language|is_original_language|duration|training_data|model_name|
             architecture|transcript   (not quoted)
  *.wav
""",
    splits=("test",),
    citations=(
        Citation(
            what="synthetic speech by language and model",
            where="Müller et al. 2024, arXiv 2401.09512",
            confirmed=True,
        ),
        Citation(
            what="folders and columns of meta.csv, which is not quoted",
            where="users' loaders of MLAAD v3 to v10",
            confirmed=False,
        ),
    ),
)
