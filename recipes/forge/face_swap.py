"""Faces swapped by the scheme of the first deepfakes: one encoder for all, a decoder for each.

The encoder sees warped faces of everybody and keeps pose, light and expression; each decoder has
learned to draw one person. A face is swapped by drawing its code with another's decoder. The people
of the training fold have an encoder of their own, those held out another, so nothing crosses. The
networks are trained by this module, and what they draw is cached:

    python -m recipes.forge.face_swap --steps 6000
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from avdetect.errors import UsageError
from avdetect.faces.align import align_face, face_transform
from avdetect.observation import FACE_CROP_PX
from recipes.datasets.face_folds import fold
from recipes.datasets.faces import CACHE, Faces, load_faces, person
from recipes.forge.resynthesis import GROUPS, edges
from recipes.forge.retouching import Picture, Points

SIDE_PX = 64
_MARGIN_PX = 16  # of the aligned crop that the swapper does not see
_LEAST_PICTURES = 24  # of a person: fewer do not teach a decoder
_BATCH = 16
_WIDTHS = (24, 48, 96, 96)
_CODE = 96
_BOTTOM_PX = SIDE_PX // 16


class SwapNetwork(nn.Module):
    """(B, 3, 64, 64) faces in [0, 1] to the same as one person's decoder draws them."""

    def __init__(self, n_people: int) -> None:
        super().__init__()
        w = _WIDTHS
        n_bottom = w[3] * _BOTTOM_PX**2
        self.encoder = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(a, b, 4, 2, 1), nn.LeakyReLU(0.1))
                for a, b in zip((3, *w[:-1]), w, strict=True)
            ),
            nn.Flatten(),
            nn.Linear(n_bottom, _CODE),
            nn.Linear(_CODE, n_bottom),
            nn.Unflatten(1, (w[3], _BOTTOM_PX, _BOTTOM_PX)),
        )
        self.decoders = nn.ModuleList(_decoder() for _ in range(n_people))

    def forward(self, faces: Tensor, whose: int) -> Tensor:
        """Draw the faces with the decoder of one person."""
        drawn = self.decoders[whose](self.encoder((faces - 0.5) * 4.0))
        return cast(Tensor, drawn).sigmoid()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The people of one fold who have pictures enough.

    Attributes:
        faces: (N, 3, 64, 64) uint8.
        who: (N,) number of the person.
        clip: (N,) number of the clip.
        places: (N,) group and index of each picture.
    """

    faces: Tensor
    who: NDArray[np.int64]
    clip: NDArray[np.int64]
    places: list[tuple[str, int]]

    @property
    def n_people(self) -> int:
        """How many they are."""
        return int(self.who.max()) + 1

    def victim(self, index: int) -> int:
        """Whose face is laid over a picture: another's, one and the same in all of a clip."""
        step = 1 + int(self.clip[index]) % (self.n_people - 1)
        return (int(self.who[index]) + step) % self.n_people


def gather_cast(*, held_out: bool) -> Cast:
    """Everyone of one fold with two dozen pictures."""
    found: dict[str, list[tuple[str, int, int]]] = {}
    groups = {group: load_faces(group) for group in GROUPS}
    for group, faces in groups.items():
        for index in fold(faces, held_out=held_out):
            row = faces.rows[faces.clip[index]]
            if row["identity"] or group != "photographs":  # a collection is nobody
                place = (group, int(index), int(faces.clip[index]))
                found.setdefault(person(row), []).append(place)
    people = [places for _, places in sorted(found.items()) if len(places) >= _LEAST_PICTURES]
    every = [place for places in people for place in places]
    cells = [cut_face(groups[group], index) for group, index, _ in every]
    return Cast(
        faces=torch.from_numpy(np.stack(cells)).permute(0, 3, 1, 2).contiguous(),
        who=np.repeat(np.arange(len(people)), [len(places) for places in people]),
        clip=np.array([clip for _, _, clip in every]),
        places=[(group, index) for group, index, _ in every],
    )


def cut_face(faces: Faces, index: int) -> Picture:
    """(64, 64, 3) uint8: a face as the swapper sees it."""
    crop = align_face(np.asarray(faces.pictures[index]), faces.landmarks[index])
    inner = crop[_MARGIN_PX:-_MARGIN_PX, _MARGIN_PX:-_MARGIN_PX]
    return np.asarray(cv2.resize(inner, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA), np.uint8)


def lay_back(drawn: Picture, picture: Picture, landmarks: Points) -> Picture:
    """A picture with a drawn (64, 64, 3) face where its own was, square and all."""
    scale = SIDE_PX / (FACE_CROP_PX - 2 * _MARGIN_PX)
    shift = np.array([[0, 0, _MARGIN_PX], [0, 0, _MARGIN_PX]], np.float64)
    to_cell = (face_transform(landmarks) - shift) * scale
    size, how = picture.shape[1::-1], cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(drawn, to_cell, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(
        np.ones(drawn.shape[:2], np.uint8), to_cell, size, flags=cv2.WARP_INVERSE_MAP
    )
    return np.asarray(np.where(inside[..., None] > 0, laid, picture), np.uint8)


def train(people: Cast, n_steps: int, seed: int = 0) -> SwapNetwork:
    """Fit one encoder and a decoder for everyone."""
    torch.manual_seed(seed)
    rng, chance = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    net = SwapNetwork(people.n_people)
    optimiser = torch.optim.Adam(net.parameters(), 1e-3, betas=(0.5, 0.99))
    pools = [np.flatnonzero(people.who == number) for number in range(people.n_people)]
    start, loss = time.monotonic(), torch.zeros(())
    for step in range(n_steps):
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * min(1.0, 2.0 - 2.0 * step / n_steps) + 1e-5
        whose = int(rng.integers(len(pools)))
        true = people.faces[rng.choice(pools[whose], _BATCH)].float() / 255.0
        if rng.random() < 0.5:
            true = true.flip(-1)
        drawn = net(_warped(true, chance), whose)
        loss = (drawn - true).abs().mean() + 2.0 * (edges(drawn) - edges(true)).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if (step + 1) % 500 == 0:
            spent = f"{time.monotonic() - start:.0f} s"
            print(f"{people.n_people} people: step {step + 1}, {loss:.4f}, {spent}", flush=True)
    return net.eval()


def swap(net: SwapNetwork, people: Cast) -> NDArray[np.uint8]:
    """(N, 64, 64, 3): every face of a cast as another's decoder draws it."""
    drawn = []
    with torch.inference_mode():
        for index in range(len(people.who)):
            face = people.faces[index : index + 1].float() / 255.0
            cell = (net(face, people.victim(index))[0] * 255.0).round().byte()
            drawn.append(cell.permute(1, 2, 0).numpy())
    return np.stack(drawn)


@dataclass(frozen=True, slots=True)
class SwappedFaces:
    """Of one group: (N, 64, 64, 3) uint8 drawn faces, and (N,) whether there is one."""

    drawn: NDArray[np.uint8]
    known: NDArray[np.bool_]

    def picture(self, faces: Faces, index: int) -> Picture | None:
        """A picture of the group with the swapped face in it, None where there is none."""
        if not self.known[index]:
            return None
        return lay_back(
            self.drawn[index], np.asarray(faces.pictures[index]), faces.landmarks[index]
        )


def load_swapped(group: str) -> SwappedFaces:
    """Swapped faces of a group; see the module.

    Raises:
        UsageError: they are not drawn yet.
    """
    path = _cache(group)
    if not path.is_file():
        raise UsageError(f"{path}: not drawn yet; run python -m recipes.forge.face_swap")
    with np.load(path) as cached:
        return SwappedFaces(cached["drawn"], cached["known"])


def _decoder() -> nn.Sequential:
    w = _WIDTHS
    steps: list[nn.Module] = []
    for a, b in zip((w[3], *w[2:0:-1]), w[2::-1], strict=True):
        steps += [nn.Conv2d(a, 4 * b, 3, 1, 1), nn.PixelShuffle(2), nn.LeakyReLU(0.1)]
    return nn.Sequential(*steps, nn.Conv2d(w[0], 12, 3, 1, 1), nn.PixelShuffle(2))


def _warped(faces: Tensor, chance: torch.Generator) -> Tensor:
    """Bent by a coarse random grid: what is drawn must be known, not copied."""
    bend = torch.randn(len(faces), 2, 5, 5, generator=chance) * 0.05
    bend = F.interpolate(bend, (SIDE_PX, SIDE_PX), mode="bicubic", align_corners=True)
    still = torch.eye(2, 3).expand(len(faces), 2, 3)
    grid = F.affine_grid(still, list(faces.shape), align_corners=False)
    moved = grid + bend.permute(0, 2, 3, 1)
    return F.grid_sample(faces, moved, padding_mode="border", align_corners=False)


def _cache(group: str) -> Path:
    return CACHE / f"{group}-swapped.npz"


def main() -> None:
    """Train on both folds and cache what is drawn of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=6000, help="of the training, a fold")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    sizes = {group: len(load_faces(group).clip) for group in GROUPS}
    drawn = {group: np.zeros((n, SIDE_PX, SIDE_PX, 3), np.uint8) for group, n in sizes.items()}
    known = {group: np.zeros(n, np.bool_) for group, n in sizes.items()}
    for held_out in (False, True):
        people = gather_cast(held_out=held_out)
        cells = swap(train(people, arguments.steps), people)
        for (group, index), cell in zip(people.places, cells, strict=True):
            drawn[group][index], known[group][index] = cell, True
    for group in GROUPS:
        np.savez_compressed(_cache(group), drawn=drawn[group], known=known[group])
        print(f"{group}: {known[group].sum()} of {sizes[group]} faces swapped", flush=True)


if __name__ == "__main__":
    main()
