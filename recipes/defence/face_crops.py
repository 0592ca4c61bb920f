"""Real faces as swappers see them: aligned crops of 128 px, who is seen, and who is held out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from avdetect.faces.align import align_face
from recipes.datasets.face_folds import is_held_out
from recipes.datasets.faces import load_faces
from recipes.defence.settings import RUNS

GROUPS = ("photographs", "sync", "development")
CROP_PX = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Crops:
    """Faces of all groups.

    Attributes:
        pictures: (N, 128, 128, 3) uint8 RGB.
        people: (N,) who; where nobody is known every file is a person of its own.
        known: (N,) whether the person is known by name or number.
        clips: (N,) the file it comes from.
        sources: (N,) its repository.
        groups: (N,) its group.
        indices: (N,) its place in the group.
        held_out: (N,) never trained on.
    """

    pictures: NDArray[np.uint8]
    people: NDArray[np.str_]
    known: NDArray[np.bool_]
    clips: NDArray[np.str_]
    sources: NDArray[np.str_]
    groups: NDArray[np.str_]
    indices: NDArray[np.int64]
    held_out: NDArray[np.bool_]


def load_crops() -> Crops:
    """Read the crops, cutting them on the first call."""
    path = RUNS / "crops.npz"
    if not path.is_file():
        _cut(path)
    table = dict(np.load(path))
    return Crops(**table)


def _cut(path: Path) -> None:
    columns: dict[str, list[object]] = {field: [] for field in Crops.__slots__}
    for group in GROUPS:
        faces = load_faces(group)
        for i, picture in enumerate(faces.pictures):
            row = faces.rows[faces.clip[i]]
            crop = align_face(np.asarray(picture), faces.landmarks[i])
            small = cv2.resize(crop, (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA)
            columns["pictures"].append(small)
            columns["people"].append(row["identity"] or row["file"])
            columns["known"].append(bool(row["identity"]))
            columns["clips"].append(row["file"])
            columns["sources"].append(row["source_repo"])
            columns["groups"].append(group)
            columns["indices"].append(i)
            columns["held_out"].append(is_held_out(row))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, **{name: np.array(values) for name, values in columns.items()})  # type: ignore[arg-type]
    part.replace(path)


def as_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """(N, H, W, 3) uint8 to (N, 3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255.0


def to_side(faces: Tensor, side_px: int) -> Tensor:
    """(N, 3, S, S) faces to another side, without aliasing."""
    if faces.shape[-1] == side_px:
        return faces
    return F.interpolate(
        faces, (side_px, side_px), mode="bilinear", antialias=True, align_corners=False
    )


def moved(faces: Tensor, chance: torch.Generator) -> Tensor:
    """(N, 3, S, S) faces turned, scaled and shifted a little by chance, at the same size."""
    n = len(faces)
    turn = torch.randn(n, generator=chance) * 0.06
    scale = 1.0 + torch.randn(n, generator=chance) * 0.04
    shift = torch.randn(n, 2, generator=chance) * 0.03
    matrix = torch.stack(
        [
            torch.stack([turn.cos() * scale, -turn.sin() * scale, shift[:, 0]], 1),
            torch.stack([turn.sin() * scale, turn.cos() * scale, shift[:, 1]], 1),
        ],
        1,
    )
    grid = F.affine_grid(matrix, list(faces.shape), align_corners=False)
    return F.grid_sample(faces, grid, padding_mode="reflection", align_corners=False)
