"""Miniatures of published data sets: tiny real media, encoded once, and checks for all readers."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import av

from eval.datasets.base import Dataset
from eval.manifest.file import read_manifest, write_manifest
from eval.manifest.leaks import find_leaks
from eval.manifest.row import ManifestRow
from tests.synth import (
    Sound,
    constant_rate,
    encode,
    numbered_picture,
    numbered_pictures,
    photograph,
    tone,
)


@functools.cache
def _media(suffix: str, silent: bool) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"media{suffix}"
        if suffix == ".png":
            return photograph(path, numbered_picture(3)).read_bytes()
        codec = {".wav": "pcm_s16le", ".flac": "flac", ".mp3": "mp3"}.get(suffix, "aac")
        sound = None if silent else Sound(samples=tone(0.4), codec=codec)
        pictures = numbered_pictures(constant_rate(5, 12.5)) if suffix == ".mp4" else None
        return encode(path, sound=sound, pictures=pictures).read_bytes()


def put(root: Path, *names: str, silent: bool = False) -> None:
    """Real media of the kind that each name says: video with sound, sound or picture."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_media(path.suffix, silent))


def put_broken(root: Path, name: str) -> None:
    """The first third of a real file, as a download that stopped leaves it."""
    put(root, name)
    whole = (root / name).read_bytes()
    (root / name).write_bytes(whole[: len(whole) // 3])


def states(rows: list[ManifestRow], root: Path) -> dict[str, str]:
    """Id -> ``readable``, ``broken`` or ``missing``, found by decoding the file at its path."""
    return {row.id: _state(root / row.path) for row in rows}


def _state(path: Path) -> str:
    if not path.is_file():
        return "missing"
    try:
        with av.open(str(path)) as container:
            frames = sum(1 for _ in container.decode(container.streams[0]))
    except av.error.FFmpegError:
        return "broken"
    return "readable" if frames else "broken"


def keeps_contract(dataset: Dataset, root: Path, tmp_path: Path) -> None:
    """What holds of every reader: its rows can be written, are split as said, and do not leak."""
    rows = dataset.read(root)
    for name in ("manifest.csv", "manifest.parquet"):
        write_manifest(tmp_path / name, rows)
        assert read_manifest(tmp_path / name) == rows
    assert {row.split for row in rows} <= {*dataset.splits, ""}
    assert find_leaks(rows, dataset.held_out) == ()
    assert all(".." not in row.path and not row.path.startswith("/") for row in rows)
