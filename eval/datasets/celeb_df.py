"""Celeb-DF v2 and Celeb-DF++: silent YouTube interviews, faces swapped, reenacted and driven."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import (
    celebrities,
    first_there,
    inside,
    make_rows,
    media_below,
    relative,
)
from eval.datasets.listing import read_words
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow

_LIST = "List_of_testing_videos.txt"
_FOLDERS = ("Celeb-real", "YouTube-real", "Celeb-synthesis")
_REAL = "1"  # the list's own direction: 1 is real, 0 is fake


def read(root: Path) -> list[ManifestRow]:
    """Rows of every video below the three folders; what the test list names is ``test``."""
    tested = {cells["file"]: cells["real"] for cells in _test_list(root)}
    for file, real in tested.items():
        if (real == _REAL) != file.startswith(("Celeb-real/", "YouTube-real/")):
            raise ManifestError(
                f"{root / _LIST}: {real} {file}: expected 1 before real videos and 0 before "
                "synthesised ones"
            )
    found = [relative(p, root) for name in _FOLDERS for p in media_below(root / name)]
    train = [file for file in found if file not in tested]
    return [
        *make_rows(root, train, lambda file: _row(file, "train")),
        *make_rows(root / _LIST, tested, lambda file: _row(file, "test")),
    ]


def _test_list(root: Path) -> list[dict[str, str]]:
    for name in _FOLDERS:
        first_there(root, (name,))
    return read_words(root / _LIST, ("real", "file"))


def _row(file: str, split: str) -> ManifestRow:
    path = PurePosixPath(inside(file))
    if len(path.parts) not in (2, 4):
        raise ValueError(
            f"{file}: expected <folder>/<video> or <folder>/<scenario>/<method>/<video>"
        )
    fake = path.parts[0] == "Celeb-synthesis"
    # Celeb-DF++ has <scenario>/<method> folders; its first method is all that v2 has.
    scenario, method = path.parts[1:3] if len(path.parts) == 4 else ("FaceSwap", "Celeb-DF")
    identity, source = celebrities(path.stem)
    return ManifestRow(
        id=file,
        path=file,
        label="fake" if fake else "real",
        video_label="fake" if fake else "real",
        identity=identity,
        source=source or f"youtube {path.stem}",
        generator=method if fake else "",
        kind=scenario if fake else "",
        split=split,
    )


DATASET = Dataset(
    name="celeb_df",
    title="Celeb-DF v2 (Li et al. 2020) and Celeb-DF++ (2025)",
    read=read,
    layout="""\
List_of_testing_videos.txt   1 <real video> or 0 <synthesised video> a line
Celeb-real/                  id<person>_<number>.mp4
YouTube-real/                <number>.mp4
Celeb-synthesis/             id<target>_id<donor>_<number>.mp4
                             (++: <scenario>/<method>/*.mp4)
""",
    splits=("train", "test"),
    citations=(
        Citation(
            what="folders of v2 and the test list",
            where="yuezunli/celeb-deepfakeforensics Celeb-DF-v2/README.md",
            confirmed=True,
        ),
        Citation(
            what="folders of ++, its scenarios and methods",
            where="OUC-VAS/Celeb-DF-PP README.md",
            confirmed=True,
        ),
        Citation(
            what="form of a line: label, space, path",
            where="OUC-VAS/Celeb-DF-PP DeepfakeBench/preprocessing/rearrange.py",
            confirmed=True,
        ),
        Citation(
            what="1 is real, 0 is fake; names id<target>_id<donor>_<number>",
            where="independent readers of the release, agreeing",
            confirmed=False,
        ),
    ),
)
