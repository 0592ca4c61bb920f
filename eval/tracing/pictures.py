"""The generated faces of the data folder for tracing: rows, folds by source file, conditions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.errors import InputError
from avdetect.tracing.properties import CAMERA
from eval.shared_data import read_rows, shared_path

N_FOLDS = 5
LEAST_FILES = 3  # generators from fewer source files count as unknown only
EQUAL_QUALITY = (
    75,
    95,
)  # of the one JPEG that every picture of an equalised condition goes through
_REAL = "_real_photographs"
_PER_REAL_SOURCE = 30
_TILES_PER_UNKNOWN = 16

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceRow:
    """One picture whose source is known.

    Attributes:
        id: its file below ``data/faces``.
        source: generator, or `CAMERA`.
        file: what it was cut from (repository and path): the unit of folds and intervals.
        fold: the one it is held out in.
        is_known: its generator has enough source files to be a class.
    """

    id: str
    source: str
    file: str
    fold: int
    is_known: bool


def face_rows() -> list[FaceRow]:
    """All generated faces and photographs, folds cut by source file (photographs: see below).

    Photographs of ``real.csv`` fold by repository: a camera class that is only met in the
    repositories it was learned from would be a table of repositories.
    """
    table = [
        (r["file"], _source(r["generator"]), f"{r['source_repo']}/{r['source_path']}")
        for r in read_rows("data/faces/synthetic.csv")
    ]
    files: dict[str, list[str]] = defaultdict(list)
    for _, source, file in table:
        if file not in files[source]:
            files[source].append(file)
    known = {source for source, of in files.items() if len(of) >= LEAST_FILES}
    rows = [
        FaceRow(
            id=name,
            source=source,
            file=file,
            fold=_fold(files[source], file) if source in known else number % N_FOLDS,
            is_known=source in known,
        )
        for number, (name, source, file) in enumerate(table)
    ]
    return rows + _photographs()


def known_sources(rows: list[FaceRow]) -> list[str]:
    """Classes in the order of every table: generators by name, then `CAMERA`."""
    return [*sorted({r.source for r in rows if r.is_known} - {CAMERA}), CAMERA]


def some_unknown(rows: list[FaceRow]) -> list[FaceRow]:
    """Every third tile of the generators that are no class: scoring all tells nothing more."""
    taken: dict[str, int] = defaultdict(int)
    kept = []
    for row in rows[::3]:
        if not row.is_known and taken[row.source] < _TILES_PER_UNKNOWN:
            taken[row.source] += 1
            kept.append(row)
    return kept


def read_picture(row: FaceRow) -> Picture:
    """(H, W, 3) uint8 RGB as stored.

    Raises:
        InputError: the file is not a picture.
    """
    path = shared_path(f"data/faces/{row.id}")
    stored = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if stored is None:
        raise InputError(f"{path}: is not a picture; fetch the data folder again")
    return np.asarray(cv2.cvtColor(stored, cv2.COLOR_BGR2RGB), np.uint8)


def through_jpeg(picture: Picture, quality: int) -> Picture:
    """One JPEG, 4:2:0."""
    _, coded = cv2.imencode(
        ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    return np.asarray(cv2.cvtColor(np.asarray(cv2.imdecode(coded, 1)), cv2.COLOR_BGR2RGB), np.uint8)


def random_crop(picture: Picture, side_px: int, rng: np.random.Generator) -> Picture:
    """A square on the native grid; the picture itself where it is no larger."""
    height, width = picture.shape[:2]
    top = int(rng.integers(0, max(1, height - side_px + 1)))
    left = int(rng.integers(0, max(1, width - side_px + 1)))
    return picture[top : top + side_px, left : left + side_px]


def _equal(side_px: int) -> Callable[[Picture, np.random.Generator], Picture]:
    def equalise(picture: Picture, rng: np.random.Generator) -> Picture:
        return through_jpeg(random_crop(picture, side_px, rng), int(rng.integers(*EQUAL_QUALITY)))

    return equalise


def _native(picture: Picture, rng: np.random.Generator) -> Picture:
    return picture


def _cropped(picture: Picture, rng: np.random.Generator) -> Picture:
    return random_crop(picture, 64, rng)


def _resized(picture: Picture, rng: np.random.Generator) -> Picture:
    small = cv2.resize(picture, (128, 128), interpolation=cv2.INTER_AREA)
    return through_jpeg(np.asarray(small, np.uint8), int(rng.integers(*EQUAL_QUALITY)))


# As stored; then everything cut to one side on its own grid, with and without one random JPEG; and
# resized to one side, which destroys what up-sampling left.
CONDITIONS: dict[str, Callable[[Picture, np.random.Generator], Picture]] = {
    "native": _native,
    "crop_64": _cropped,
    "crop_64_jpeg": _equal(64),
    "crop_128_jpeg": _equal(128),
    "resized_128_jpeg": _resized,
}
NEEDS_128 = ("crop_128_jpeg", "resized_128_jpeg")


def _source(generator: str) -> str:
    return CAMERA if generator == _REAL else generator


def _fold(files: list[str], file: str) -> int:
    """Files in an order that does not follow their names, dealt out in turn."""
    shuffled = np.random.default_rng(len(files)).permutation(sorted(files)).tolist()
    return int(shuffled.index(file) % N_FOLDS)


def _photographs() -> list[FaceRow]:
    taken: dict[str, int] = defaultdict(int)
    rows = []
    for r in read_rows("data/faces/real.csv"):
        repo = r["source_repo"]
        taken[repo] += 1
        if taken[repo] <= _PER_REAL_SOURCE:
            fold = list(taken).index(repo) % N_FOLDS
            rows.append(FaceRow(id=r["file"], source=CAMERA, file=repo, fold=fold, is_known=True))
    return rows
