"""Faces to forge from and to judge: pictures and frames with their mesh, cached once a group.

A group is a fixed list of rows of the data folder:

    photographs   real faces of data/faces/real.csv with the mesh that comes with them
    sync          a few frames of every clip of data/video/sync.csv
    development   a few frames of every development row of `eval.splits.video_split`
    test          every fifth frame of every measured row of `eval.splits.video_split`
    synthetic     generated faces of at least 128 px of data/faces/synthetic.csv

Only the first three are ever forged or trained on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import mediapipe as mp
import numpy as np
from numpy.typing import NDArray

from avdetect.timebase import FRAME_RATE_HZ
from eval.shared_data import read_rows, shared_path
from eval.splits import video_split

CACHE = Path(__file__).resolve().parents[2] / "runs" / "visual_forgery" / "cache"
PICTURE_PX = 256
_TEST_STEP = 5  # frames of the 25 Hz clock, the rate the branch judges at
_SMALLEST_SYNTHETIC_PX = 128

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Faces:
    """One group: N pictures, each with the mesh of the one face in it.

    Attributes:
        pictures: (N, 256, 256, 3) uint8 RGB.
        landmarks: (N, 478, 2) float32 mesh points in pixels of the picture.
        clip: (N,) int64 index into ``rows``.
        rows: the rows of the CSV the pictures come from.
    """

    pictures: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    clip: NDArray[np.int64]
    rows: list[Row]


def load_faces(group: str) -> Faces:
    """Read a group from the cache, filling the cache on the first call (minutes)."""
    stem = CACHE / group
    if not stem.with_suffix(".json").is_file():
        _fill(group, stem)
    return Faces(
        pictures=np.load(f"{stem}-pictures.npy", mmap_mode="r"),
        landmarks=np.load(f"{stem}-landmarks.npy"),
        clip=np.load(f"{stem}-clip.npy"),
        rows=json.loads(stem.with_suffix(".json").read_text("utf-8")),
    )


def person(row: Row) -> str:
    """Who is seen, as far as known: the identity, else the source it comes from."""
    return row["identity"] or row["source_repo"]


def _fill(group: str, stem: Path) -> None:
    stem.parent.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    pictures, landmarks, clip = [], [], []
    for row, picture, points in _GROUPS[group]():
        if not rows or rows[-1] is not row:
            rows.append(row)
        pictures.append(picture)
        landmarks.append(points)
        clip.append(len(rows) - 1)
    np.save(f"{stem}-pictures.npy", np.stack(pictures))
    np.save(f"{stem}-landmarks.npy", np.stack(landmarks).astype(np.float32))
    np.save(f"{stem}-clip.npy", np.array(clip, np.int64))
    stem.with_suffix(".json").write_text(json.dumps(rows), "utf-8")


Found = Iterator[tuple[Row, NDArray[np.uint8], NDArray[np.float32]]]


def _photographs() -> Found:
    mesh = np.load(shared_path("data/faces/landmarks.npz"))
    for row in read_rows("data/faces/real.csv"):
        picture = read_picture(shared_path("data/faces") / row["file"])
        yield row, picture, mesh[Path(row["file"]).name].astype(np.float32)


def _sync() -> Found:
    return _clip_frames(read_rows("data/video/sync.csv"), lambda n: range(3, n, 7))


def _development() -> Found:
    return _clip_frames(video_split()[0], lambda n: range(2, n, 6))


def _test() -> Found:
    return _clip_frames(video_split()[1], lambda n: range(0, n, _TEST_STEP))


def _clip_frames(rows: list[Row], choose: Callable[[int], range]) -> Found:
    with _face_mesh() as mesh:
        for row in rows:
            frames = read_frames(shared_path("data/video") / row["file"])
            for index in choose(len(frames)):
                points = find_mesh(mesh, frames[index])
                if points is not None:
                    yield row, frames[index], points


def _synthetic() -> Found:
    with _face_mesh() as mesh:
        for row in read_rows("data/faces/synthetic.csv"):
            picture = read_picture(shared_path("data/faces") / row["file"])
            if min(picture.shape[:2]) < _SMALLEST_SYNTHETIC_PX:
                continue
            side = (PICTURE_PX, PICTURE_PX)
            sized = np.asarray(cv2.resize(picture, side, interpolation=cv2.INTER_CUBIC), np.uint8)
            points = find_mesh(mesh, sized)
            if points is not None:
                yield row, sized, points


_GROUPS: dict[str, Callable[[], Found]] = {
    "photographs": _photographs,
    "sync": _sync,
    "development": _development,
    "test": _test,
    "synthetic": _synthetic,
}


def read_picture(path: Path) -> NDArray[np.uint8]:
    """A picture file as (H, W, 3) uint8 RGB."""
    blob = np.frombuffer(path.read_bytes(), np.uint8)
    return np.asarray(cv2.imdecode(blob, cv2.IMREAD_COLOR), np.uint8)[:, :, ::-1]


def read_frames(path: Path) -> list[NDArray[np.uint8]]:
    """Frames of a clip nearest to each tick of the 25 Hz clock, (256, 256, 3) uint8 RGB."""
    with av.open(str(path)) as container:
        decoded = [
            (float(frame.time or 0.0), np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
            for frame in container.decode(video=0)
        ]
    times = np.array([time for time, _ in decoded]) - decoded[0][0]
    ticks = np.arange(0.0, times[-1] + 0.5 / FRAME_RATE_HZ, 1.0 / FRAME_RATE_HZ)
    return [decoded[int(np.abs(times - tick).argmin())][1] for tick in ticks]


def find_mesh(mesh: Any, picture: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """(478, 2) float32 mesh points of the face in a picture, None where none is found."""
    found = mesh.process(picture).multi_face_landmarks
    if not found:
        return None
    height, width = picture.shape[:2]
    return np.array([(p.x * width, p.y * height) for p in found[0].landmark], np.float32)


def _face_mesh() -> Any:
    return mp.solutions.face_mesh.FaceMesh(
        static_image_mode=True, max_num_faces=1, refine_landmarks=True
    )
