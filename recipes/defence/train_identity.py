"""Train the encoders of who is seen: those shielded from, those measured on, and the judge.

python -m recipes.defence.train_identity [--only NAME] [--print]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdetect.nn.identity_encoder import IdentityEncoder
from eval.metrics import auc
from recipes.defence.face_crops import Crops, as_tensor, load_crops, moved, to_side
from recipes.defence.margin_training import MarginTraining, load_rounded, train_by_margin
from recipes.defence.settings import (
    CONFIG,
    RUNS,
    FaceTraining,
    IdentitySettings,
    read_settings,
)

_SINGLE_SHARE = 0.4  # of a batch: people of one photograph, each a class of its own
_LEAST_PICTURES = 4
_LEAST_PX = 32


def train(settings: IdentitySettings, training: FaceTraining, crops: Crops) -> IdentityEncoder:
    """Fit on the training fold: known people seen often, and every photograph by itself."""
    torch.manual_seed(settings.seed)
    chance = torch.Generator().manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    pools, n_people = _pools(crops)
    net = IdentityEncoder(settings.network)

    def draw() -> tuple[Tensor, Tensor]:
        n_single = round(_SINGLE_SHARE * training.batch)
        who = np.concatenate(
            [
                rng.integers(0, n_people, training.batch - n_single),
                rng.integers(n_people, len(pools), n_single),
            ]
        )
        faces = as_tensor(crops.pictures[[rng.choice(pools[k]) for k in who]])
        return net(varied(to_side(faces, settings.network.side_px), chance)), torch.from_numpy(who)

    by_margin = MarginTraining(
        name=settings.name,
        n_people=len(pools),
        width=settings.network.width,
        n_steps=training.n_steps,
        learning_rate=training.learning_rate,
        told_every=150,
    )
    train_by_margin(net, by_margin, draw)
    return net.eval()


def load_identity(settings: IdentitySettings) -> IdentityEncoder:
    """A trained encoder of the runs folder, with weights rounded as they ship."""
    net = IdentityEncoder(settings.network)
    load_rounded(net, weights_path(settings.name))
    return net


def weights_path(name: str) -> Path:
    """Where a trained encoder lies."""
    return RUNS / "identity" / f"{name}.pt"


def vectors_of(net: IdentityEncoder, faces: Tensor) -> Tensor:
    """(N, 3, S, S) faces of any size to (N, width) unit vectors."""
    with torch.no_grad():
        return torch.cat(
            [net(to_side(part, net.config.side_px)) for part in torch.split(faces, 64)]
        )


def verification(net: IdentityEncoder, crops: Crops) -> dict[str, Any]:
    """AUC of telling same from other person on people held out, over pairs of different clips."""
    ids = np.flatnonzero(crops.held_out & crops.known & (crops.groups != "photographs"))
    vectors = vectors_of(net, as_tensor(crops.pictures[ids]))
    alike = (vectors @ vectors.T).double().numpy()
    first, second = np.triu_indices(len(ids), 1)
    apart = crops.clips[ids][first] != crops.clips[ids][second]
    same = (crops.people[ids][first] == crops.people[ids][second])[apart]
    values = alike[first, second][apart]
    return {
        "n_people": len(set(crops.people[ids])),
        "n_pictures": len(ids),
        "auc": round(auc(~same, -values), 3),
        "mean_cosine_same": round(float(values[same].mean()), 3),
        "mean_cosine_other": round(float(values[~same].mean()), 3),
    }


def varied(faces: Tensor, chance: torch.Generator) -> Tensor:
    """(N, 3, S, S) faces as they may come: another light, softer, grey, mirrored, cut otherwise."""
    n = len(faces)

    def drawn(share: float) -> Tensor:
        return torch.rand(n, 1, 1, 1, generator=chance) < share

    faces = torch.where(drawn(0.5), faces.flip(-1), faces)
    light = 1.0 + 0.15 * torch.randn(n, 3, 1, 1, generator=chance)
    faces = torch.where(drawn(0.2), faces.mean(1, keepdim=True), faces)
    faces = moved(faces, chance) * light + 0.05 * torch.randn(n, 3, 1, 1, generator=chance)
    side = faces.shape[-1]
    small = int(torch.randint(_LEAST_PX, side + 1, (), generator=chance))
    return to_side(to_side(faces, small), side).clamp(0, 1)


def _pools(crops: Crops) -> tuple[list[NDArray[np.int64]], int]:
    free = ~crops.held_out
    films = free & crops.known & (crops.groups != "photographs")
    names, counts = np.unique(crops.people[films], return_counts=True)
    often = names[counts >= _LEAST_PICTURES]
    pools = [np.flatnonzero(films & (crops.people == name)) for name in often]
    photographs = np.flatnonzero(free & (crops.groups == "photographs"))
    return [*pools, *photographs[:, None]], len(pools)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--only", help="name of one encoder")
    parser.add_argument("--print", action="store_true", help="measure what is trained")
    parser.add_argument("--again", action="store_true", help="train anew what is trained")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings, crops = read_settings(arguments.config), load_crops()
    for one in (*settings.surrogates, *settings.unseen, settings.judge):
        if arguments.only not in (None, one.name):
            continue
        path = weights_path(one.name)
        if not arguments.print and (arguments.again or not path.is_file()):
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.save(train(one, settings.identity, crops).state_dict(), path)
        print(one.name, verification(load_identity(one), crops), flush=True)


if __name__ == "__main__":
    main()
