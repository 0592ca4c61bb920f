"""Photographs of faces and generated faces: ``data/faces`` of the project's own data folder."""

from __future__ import annotations

from pathlib import Path

from eval.datasets.base import Citation, Dataset
from eval.datasets.listing import read_table
from eval.manifest.row import ManifestRow

_PHOTOGRAPHS = "_real_photographs"  # in the generator column: real, in the form of the fakes


def read(root: Path) -> list[ManifestRow]:
    """Rows of both tables; `ManifestRow.id` is their ``file``, ``quality`` the form they came in.

    The form follows the label nearly everywhere (crops of 256 px are real, tiles are generated), so
    a figure over several forms says more about the form than about the forgery.
    """
    folder = root / "data" / "faces"
    real = read_table(folder / "real.csv", ("file", "identity", "source_repo", "crop_side_px"))
    other = read_table(folder / "synthetic.csv", ("file", "generator", "form", "source_repo"))
    return [
        *(_row(cells, form=f"{cells['crop_side_px']} px crop") for cells in real),
        *(_row(cells, form=cells["form"]) for cells in other),
    ]


def _row(cells: dict[str, str], *, form: str) -> ManifestRow:
    generator = cells.get("generator", _PHOTOGRAPHS)
    fake = generator != _PHOTOGRAPHS
    return ManifestRow(
        id=cells["file"],
        path=f"data/faces/{cells['file']}",
        label="fake" if fake else "real",
        video_label="fake" if fake else "real",
        identity=cells.get("identity", ""),
        source=cells["source_repo"],
        generator=generator if fake else "",
        kind="generated face" if fake else "",
        quality=form,
        codec=Path(cells["file"]).suffix.removeprefix("."),
    )


DATASET = Dataset(
    name="still_faces",
    title="Photographs of faces and generated faces",
    read=read,
    layout="""\
data/faces/
  real.csv       real/*           photographs, 256 px crops
  synthetic.csv  synthetic/*/*    generated faces by generator, real photographs in the same form
""",
    splits=(),
    citations=(Citation(what="layout", where="README of the data folder", confirmed=True),),
)
