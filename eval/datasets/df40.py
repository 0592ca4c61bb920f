"""DF40: forty generators on faces of FaceForensics++ and Celeb-DF, released as cropped frames."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import celebrities, first_there, inside, make_rows, read_json
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow

_LISTS = "dataset_json"
_PREFIX = "deepfakes_detection_datasets/"  # the authors' own root, in front of every frame
_SPLITS = ("test", "train")  # their ``val`` lists the frames of ``test`` once more
_DOMAINS = {"ff": "FaceForensics++", "cdf": "Celeb-DF"}


class _Frame(NamedTuple):
    split: str
    label: str
    video: str
    path: str


def read(root: Path) -> list[ManifestRow]:
    """Rows of every frame in ``dataset_json/*.json``: a row is one picture, not a clip.

    The lists of all generators repeat the same real frames, and some list a fake frame for testing
    and for training: a frame is one row, where it comes first, and tests come first.
    """
    lists = sorted(first_there(root, (_LISTS,)).glob("*.json"))
    if not lists:
        raise ManifestError(f"{root / _LISTS}: no <generator>_<domain>.json; fetch the lists")
    rows: dict[str, ManifestRow] = {}
    for split in _SPLITS:
        for path in lists:
            frames = [frame for frame in _frames(path) if frame.split == split]
            for row in make_rows(path, frames, partial(_row, name=path.stem)):
                rows.setdefault(row.id, row)
    return list(rows.values())


def _frames(path: Path) -> Iterator[_Frame]:
    """Walk data set -> label -> split -> video -> ``frames``."""
    for labels in read_json(path, dict).values():
        for label, splits in _items(path, labels):
            for split, videos in _items(path, splits):
                for video, entry in _items(path, videos):
                    frames = dict(_items(path, entry)).get("frames")
                    if not isinstance(frames, list):
                        raise ManifestError(f"{path}: {video}: expected a list 'frames'")
                    yield from (_Frame(split, label, video, frame) for frame in frames)


def _items(path: Path, value: Any) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise ManifestError(
            f"{path}: expected data set -> label -> split -> video -> frames, "
            f"found {type(value).__name__}"
        )
    return list(value.items())


def _row(frame: _Frame, name: str) -> ManifestRow:
    fake = _is_fake(frame.label)
    generator, _, domain = name.rpartition("_")
    if domain not in _DOMAINS:
        generator, domain = name, ""
    path = inside(frame.path.replace("\\", "/").removeprefix(_PREFIX))
    if not fake:  # lists of both domains may repeat it; its own folder says where it is from
        domain = next((d for d, folder in _DOMAINS.items() if path.startswith(folder)), "")
    identity, source = _people(frame.video)
    return ManifestRow(
        id=path,
        path=path,
        label="fake" if fake else "real",
        video_label="fake" if fake else "real",
        identity=identity,
        source=source,
        generator=generator if fake else "",
        quality=domain,
        split=frame.split,
    )


def _is_fake(label: str) -> bool:
    words = [word for word in ("real", "fake") if word in label.lower()]
    if len(words) != 1:
        raise ValueError(f"label {label!r}: expected a name with Real or Fake in it")
    return words[0] == "fake"


def _people(video: str) -> tuple[str, str]:
    """Target and donor, as in FaceForensics++ (``000_003``) or Celeb-DF (``id0_id1_0002``)."""
    words = PurePosixPath(video).stem.split("_")
    if len(words) <= 2 and all(word.isdigit() and len(word) == 3 for word in words):
        return words[0], words[-1]
    identity, source = celebrities(video)
    return identity, source or video


DATASET = Dataset(
    name="df40",
    title="DF40 (Yan et al. 2024)",
    read=read,
    layout="""\
dataset_json/<generator>_<ff or cdf>.json   data set -> label -> split -> video -> label, frames
DF40/  DF40_train/                          frames of the fakes, as the lists name them
FaceForensics++/  Celeb-DF-v2/              frames of the real videos
""",
    splits=("train", "test"),
    citations=(
        Citation(
            what="lists: data set -> label -> split -> video -> frames; val repeats test",
            where="YZY-stack/DF40 DeepfakeBench_DF40/preprocessing/rearrange.py",
            confirmed=True,
        ),
        Citation(
            what="dataset_json, names of the lists, fakes released as frames",
            where="YZY-stack/DF40 README.md",
            confirmed=True,
        ),
        Citation(
            what="root of the paths in the published lists; folders DF40 and DF40_train",
            where="independent readers of the release, agreeing",
            confirmed=False,
        ),
    ),
)
