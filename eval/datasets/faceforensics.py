"""FaceForensics++ with FaceShifter and DeepFakeDetection: silent videos in three compressions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import first_there, media_below, read_json, relative
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow

_SPLITS = ("train", "val", "test")
_QUALITIES = ("raw", "c23", "c40")
_KINDS = {  # method -> kind of forgery (Roessler et al. 2019, section 3)
    "Deepfakes": "face-swap",
    "Face2Face": "reenactment",
    "FaceSwap": "face-swap",
    "NeuralTextures": "reenactment",
    "FaceShifter": "face-swap",
}
_ACTORS = "DeepFakeDetection"  # filmed for it: other people, no split


def read(root: Path) -> list[ManifestRow]:
    """Rows of every pair in the split files, for each method and compression that is there.

    `ManifestRow.identity` is the target sequence, `source` the source sequence; the official splits
    keep both ends of a pair together. Some of the 1000 sequences are from the same of 977 YouTube
    videos; which ones the split files do not say.
    """
    pairs = {pair: split for split in _SPLITS for pair in _pairs(root, split)}
    rows = [
        row
        for folder, method, quality in _folders(root)
        for row in (
            _filmed_rows(root, folder, method, quality)
            if method in ("actors", _ACTORS)
            else _listed_rows(root, folder, method, quality, pairs)
        )
    ]
    if not rows:
        raise ManifestError(
            f"{root}: expected original_sequences/youtube/c23/videos or "
            "manipulated_sequences/<method>/<raw, c23 or c40>/videos there; found neither"
        )
    return rows


def _pairs(root: Path, split: str) -> list[tuple[str, str]]:
    path = first_there(root, (f"splits/{split}.json", f"{split}.json"))
    pairs = read_json(path, list)
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise ManifestError(f"{path}: expected a list of pairs such as ['000', '003']")
    return [(str(first), str(second)) for first, second in pairs]


def _folders(root: Path) -> Iterator[tuple[Path, str, str]]:
    """Folders of videos that are there, each with its method (or kind of original) and quality."""
    originals = [("original_sequences", name) for name in ("youtube", "actors")]
    for group, method in (*originals, *(("manipulated_sequences", m) for m in (*_KINDS, _ACTORS))):
        for quality in _QUALITIES:
            folder = root / group / method / quality / "videos"
            if folder.is_dir():
                yield folder, method, quality


def _listed_rows(
    root: Path, folder: Path, method: str, quality: str, pairs: dict[tuple[str, str], str]
) -> Iterator[ManifestRow]:
    for pair, split in pairs.items():
        for target, source in (pair, pair[::-1]):
            stem = target if method == "youtube" else f"{target}_{source}"
            path = relative(folder / f"{stem}.mp4", root)
            if method == "youtube":
                yield _row(path, quality, (target, target), split=split)
            else:
                yield _row(path, quality, (target, source), split=split, method=method)


def _filmed_rows(root: Path, folder: Path, method: str, quality: str) -> Iterator[ManifestRow]:
    """Files named ``<target actor>[_<source actor>]__<scene>[__<experiment>]``."""
    for file in media_below(folder):
        target, _, source = file.stem.split("__")[0].partition("_")
        people = (f"actor {target}", f"actor {source or target}")
        generator = method if method == _ACTORS else ""
        yield _row(relative(file, root), quality, people, method=generator)


def _row(
    path: str, quality: str, people: tuple[str, str], *, split: str = "", method: str = ""
) -> ManifestRow:
    return ManifestRow(
        id=path,
        path=path,
        label="fake" if method else "real",
        video_label="fake" if method else "real",
        identity=people[0],
        source=people[1],
        generator=method,
        kind=_KINDS.get(method, "face-swap") if method else "",
        quality=quality,
        split=split,
    )


DATASET = Dataset(
    name="faceforensics",
    title="FaceForensics++ (Roessler et al. 2019), FaceShifter, DeepFakeDetection",
    read=read,
    layout="""\
splits/{train,val,test}.json                               pairs of sequences (or beside the root)
original_sequences/youtube/{raw,c23,c40}/videos/           <sequence>.mp4
original_sequences/actors/{raw,c23,c40}/videos/            <actor>__<scene>.mp4
manipulated_sequences/<method>/{raw,c23,c40}/videos/       <target>_<source>.mp4
manipulated_sequences/DeepFakeDetection/{...}/videos/      <target>_<source>__<scene>__<id>.mp4
""",
    splits=_SPLITS,
    citations=(
        Citation(
            what="folders, compressions, names <target>_<source>, videos without sound",
            where="ondyari/FaceForensics dataset/README.md, dataset/extract_compressed_videos.py",
            confirmed=True,
        ),
        Citation(
            what="split files: lists of pairs",
            where="ondyari/FaceForensics dataset/splits/{train,val,test}.json",
            confirmed=True,
        ),
        Citation(
            what="manipulated_sequences/FaceShifter of the same form",
            where="OUC-VAS/Celeb-DF-PP DeepfakeBench/preprocessing/preprocess.py",
            confirmed=False,
        ),
    ),
    held_out=("identity", "source"),
)
