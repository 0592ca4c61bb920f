"""One-second face tracks as the frozen frame network reads them: forged twins, and others' clips.

Every clip gives one file under ``runs/visual_forgery/tracks/<model>``; what is there is kept, so
that the command may be stopped and called again:

    python -m recipes.visual_forgery.track_data --train 200 --held-out 100
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mediapipe.python.solutions.face_mesh import FaceMesh
from numpy.typing import NDArray

from avdetect.branches.track_stretches import (
    LEAST_FRAMES,
    STRETCH_FRAMES,
    TrackFrames,
    stretches_of,
)
from avdetect.branches.visual_forgery import FaceNetworks, load_networks
from avdetect.checkpoint import load_checkpoint, read_bundle
from avdetect.faces.align import align_face
from avdetect.nn.temporal_head import Stretch
from avdetect.timebase import FRAME_RATE_HZ
from eval.shared_data import read_rows, shared_path
from eval.splits import video_split
from recipes.datasets.face_folds import is_held_out
from recipes.datasets.faces import Row, find_mesh, person
from recipes.datasets.talking_heads import frames_on_clock
from recipes.forge.retouching import Face
from recipes.forge.tracks import COURSES, TRACK_KINDS, Pictures, code_twins, forge_track
from recipes.visual_forgery.settings import RUNS

MODEL = read_bundle().checkpoints["visual_forgery"]
SETS = ("train", "held_out", "others")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracks:
    """N stretches of one set, twins side by side, real first.

    Attributes:
        stretch: N stretches of 25 places.
        labels: (N,) 1 = fake.
        people, sources: whose face it is, and the repository it comes from.
        notes: ``kind|course`` of twins, the generator of others' fakes, empty for others' real.
    """

    stretch: Stretch
    labels: NDArray[np.int64]
    people: list[str]
    sources: list[str]
    notes: list[str]

    def frame_scores(self) -> torch.Tensor:
        """(N,) mean score of the frames present: what frames alone say."""
        weight = self.stretch.present.float()
        return (self.stretch.scores * weight).sum(1) / weight.sum(1).clamp_min(1.0)


def load_tracks(name: str, model: str = MODEL) -> Tracks:
    """All files of a set; stretches without enough frames are left out with their twin."""
    tables = [dict(np.load(path)) for path in sorted((_folder(model) / name).glob("*.npz"))]
    if not tables:
        raise FileNotFoundError(f"{_folder(model) / name}: empty; run this module first")
    parts = {field: np.concatenate([t[field] for t in tables]) for field in tables[0]}
    return Tracks(
        stretch=Stretch(*(torch.from_numpy(parts[field]) for field in Stretch._fields)),
        labels=parts["labels"],
        **{field: [str(v) for v in parts[field]] for field in ("people", "sources", "notes")},
    )


def stilled(tracks: Tracks) -> Tracks:
    """Every frame of a stretch replaced by their mean: what is left to learn without time."""
    stretch = tracks.stretch
    weight = stretch.present.float()[..., None]
    n = weight.sum(1, keepdim=True).clamp_min(1.0)

    def mean(part: torch.Tensor) -> torch.Tensor:
        return ((part * weight).sum(1, keepdim=True) / n).expand_as(part).contiguous()

    still = stretch._replace(
        tokens=mean(stretch.tokens),
        scores=mean(stretch.scores[..., None]).squeeze(-1),
        motion=mean(stretch.motion),
    )
    return replace(tracks, stretch=still)


def rows_of(name: str) -> list[Row]:
    """Clips of a set in the order they are prepared; the measured ones all, real and fake."""
    development, measured = video_split()
    if name == "others":
        return measured
    rows = [*development, *read_rows("data/video/sync.csv")]
    wanted = [row for row in rows if is_held_out(row) == (name == "held_out")]
    return sorted(
        wanted, key=lambda row: (row not in development, zlib.crc32(row["file"].encode()))
    )


def prepare(name: str, networks: FaceNetworks, limit: int | None, model: str = MODEL) -> None:
    """Write what is missing of a set's first ``limit`` clips."""
    for row in rows_of(name)[:limit]:
        path = _folder(model) / name / (row["file"].replace("/", "__") + ".npz")
        if path.is_file():
            continue
        table = _others_tracks(row, networks) if name == "others" else _twin_tracks(row, networks)
        if table is None:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as stream:
            np.savez(stream, **table)
        part.replace(path)


def _twin_tracks(row: Row, networks: FaceNetworks) -> dict[str, Any] | None:
    rng = np.random.default_rng(zlib.crc32(row["file"].encode()))
    kind, course = str(rng.choice(TRACK_KINDS)), str(rng.choice(COURSES))
    pictures = np.stack(list(islice(_frames(row), STRETCH_FRAMES)))
    points = _meshes(pictures)
    if pictures.shape[1] != pictures.shape[2] or any(each is None for each in points):
        return None
    faces = [
        Face(picture=picture, landmarks=mesh)
        for picture, mesh in zip(pictures, points, strict=True)
        if mesh is not None
    ]
    twins = code_twins(pictures, forge_track(kind, course, faces, rng), rng)
    seen = [_stretch(networks, twin) for twin in twins]
    if seen[0] is None or seen[1] is None:
        return None
    return _table(row, [seen[0], seen[1]], [0, 1], f"{kind}|{course}")


def _others_tracks(row: Row, networks: FaceNetworks) -> dict[str, Any] | None:
    """The first second of a clip that nothing was trained on."""
    pictures = np.stack(list(islice(_frames(row), STRETCH_FRAMES)))
    seen = _stretch(networks, pictures)
    if seen is None:
        return None
    is_fake = row["video_label"] == "fake"
    return _table(row, [seen], [int(is_fake)], row["generator"] if is_fake else "")


def _table(row: Row, seen: Sequence[Stretch], labels: list[int], note: str) -> dict[str, Any]:
    table: dict[str, Any] = {
        field: np.concatenate([getattr(each, field).numpy() for each in seen])
        for field in Stretch._fields
    }
    table["labels"] = np.array(labels, np.int64)
    for field, value in (("people", person(row)), ("sources", row["source_repo"]), ("notes", note)):
        table[field] = np.array([value] * len(seen))
    return table


def _frames(row: Row) -> Iterator[NDArray[np.uint8]]:
    return (picture for _, picture in frames_on_clock(shared_path(f"data/video/{row['file']}")))


def _meshes(pictures: Pictures) -> list[NDArray[np.float32] | None]:
    with FaceMesh(static_image_mode=False, max_num_faces=1, refine_landmarks=True) as mesh:
        return [find_mesh(mesh, picture) for picture in pictures]


def _stretch(networks: FaceNetworks, pictures: Pictures) -> Stretch | None:
    """One stretch from coded pictures: the face is found anew, as it would be in a clip."""
    found = {k: mesh for k, mesh in enumerate(_meshes(pictures)) if mesh is not None}
    if len(found) < LEAST_FRAMES:
        return None
    crops = np.stack([align_face(pictures[k], mesh) for k, mesh in found.items()])
    with torch.inference_mode():
        said = networks.frames(torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255.0)
        # As the branch reads a frame of a video: what the head says is added to that.
        scores = said.score if networks.contrast is None else networks.contrast(said.mask_logits)
    index = np.array(list(found), np.int64)
    frames = TrackFrames(
        frame_index=index,
        frame_s=index / FRAME_RATE_HZ,
        landmarks=np.stack(list(found.values())),
        tokens=said.token.numpy(),
        scores=scores.numpy(),
    )
    return stretches_of(frames)[0]


def _folder(model: str) -> Path:
    return RUNS / "tracks" / model


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=MODEL, help="checkpoint whose tokens are read")
    parser.add_argument("--train", type=int, help="clips at most; all where not given")
    parser.add_argument("--held-out", type=int)
    parser.add_argument("--others", type=int)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    networks = load_networks(load_checkpoint(arguments.model))
    for name in SETS:
        prepare(name, networks, getattr(arguments, name), arguments.model)
        print(f"{name}: {len(list((_folder(arguments.model) / name).glob('*.npz')))} clips")


if __name__ == "__main__":
    main()
