"""FakeAVCeleb v1.2: VoxCeleb2 clips with faces swapped, lips driven and voices cloned."""

from __future__ import annotations

from pathlib import Path

from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import inside, make_rows, pick
from eval.datasets.listing import read_table
from eval.manifest.row import ManifestRow, Truth

_TABLE = "meta_data.csv"
# The published header names nine of ten columns: the file stands under ``path``, its folder under
# a name left empty.
_COLUMNS = ("source", "target1", "method", "type", "path", "")
_VIDEO: dict[str, Truth] = {
    "RealVideo-RealAudio": "real",
    "RealVideo-FakeAudio": "real",
    "FakeVideo-RealAudio": "fake",
    "FakeVideo-FakeAudio": "fake",
}


def read(root: Path) -> list[ManifestRow]:
    """Rows of ``meta_data.csv``; ``root`` holds it beside the four folders of clips."""
    table = root / _TABLE
    return make_rows(table, read_table(table, _COLUMNS), _row)


def _row(cells: dict[str, str]) -> ManifestRow:
    video = pick(cells["type"], _VIDEO, "type")
    audio: Truth = "fake" if cells["type"].endswith("FakeAudio") else "real"
    fake = "fake" in (video, audio)
    path = inside(cells[""].removeprefix("FakeAVCeleb/"), cells["path"])
    donor = cells["target1"]
    return ManifestRow(
        id=path,
        path=path,
        label="fake" if fake else "real",
        audio_label=audio,
        video_label=video,
        speaker=cells["source"] if audio == "real" else "",
        identity=cells["source"],
        source=donor if donor.startswith("id") else cells["source"],
        generator=cells["method"] if fake else "",
        kind=cells["type"] if fake else "",
        split="test",
    )


DATASET = Dataset(
    name="fakeavceleb",
    title="FakeAVCeleb v1.2 (Khalid et al. 2021)",
    read=read,
    layout="""\
meta_data.csv              source,target1,target2,method,category,type,race,gender,path,
RealVideo-RealAudio/       <race>/<gender>/<source>/<file>.mp4
RealVideo-FakeAudio/
FakeVideo-RealAudio/
FakeVideo-FakeAudio/
""",
    splits=("test",),
    citations=(
        Citation(
            what="four folders, columns of meta_data.csv and its unnamed tenth",
            where="independent readers of the release, agreeing; it is behind a form, and "
            "DASH-Lab/FakeAVCeleb README.md does not tell",
            confirmed=False,
        ),
    ),
)
