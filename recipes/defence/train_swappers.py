"""Train a swapper on each identity encoder: what the face shield is measured on.

python -m recipes.defence.train_swappers [--only NAME]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from avdetect.nn.face_swapper import SIDE_PX, FaceSwapper, SwapperConfig
from avdetect.nn.identity_encoder import IdentityEncoder
from recipes.defence.face_crops import GROUPS, Crops, as_tensor, load_crops, moved, to_side
from recipes.defence.settings import (
    CONFIG,
    RUNS,
    FaceTraining,
    IdentitySettings,
    read_settings,
)
from recipes.defence.train_identity import load_identity, vectors_of
from recipes.forge.resynthesis import edges

_IDENTITY_WEIGHT = 0.1  # of the likeness to the source, as the encoder itself sees it
_OTHERS_SHARE = 0.3  # of the batch swapped to another person, where only the likeness is asked for


def train(
    settings: IdentitySettings, training: FaceTraining, crops: Crops, identity: IdentityEncoder
) -> FaceSwapper:
    """Fit one swapper: a face redrawn from its own pose and another picture's identity."""
    torch.manual_seed(settings.seed)
    chance = torch.Generator().manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    net = FaceSwapper(SwapperConfig(identity=settings.network.width))
    optimiser = torch.optim.Adam(net.parameters(), training.learning_rate, betas=(0.8, 0.99))
    pools = [np.flatnonzero(~crops.held_out & (crops.groups == group)) for group in GROUPS]
    siblings = _siblings(crops)
    start = time.monotonic()
    for step in range(training.n_steps):
        left = 1.0 - step / training.n_steps
        for group in optimiser.param_groups:
            group["lr"] = training.learning_rate * min(1.0, 3.0 * left) + 1e-5
        ids = _draw([pools[0], pools[0], *pools[1:]], training.batch, rng)
        sources = np.array([rng.choice(siblings[crops.people[i]]) for i in ids])
        loss = _loss(
            net,
            identity,
            as_tensor(crops.pictures[ids]),
            as_tensor(crops.pictures[sources]),
            chance,
        )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if (step + 1) % 200 == 0:
            print(
                f"{settings.name}: step {step + 1}, loss {loss.item():.4f}, "
                f"{time.monotonic() - start:.0f} s",
                flush=True,
            )
    return net.eval()


def load_swapper(settings: IdentitySettings) -> FaceSwapper:
    """A trained swapper of the runs folder."""
    net = FaceSwapper(SwapperConfig(identity=settings.network.width))
    net.load_state_dict(torch.load(weights_path(settings.name), weights_only=True))
    return net.eval().requires_grad_(False)


def weights_path(name: str) -> Path:
    """Where a trained swapper lies."""
    return RUNS / "swappers" / f"{name}.pt"


def _siblings(crops: Crops) -> dict[str, NDArray[np.int64]]:
    free = np.flatnonzero(~crops.held_out)
    order = free[np.argsort(crops.people[free], kind="stable")]
    names, starts = np.unique(crops.people[order], return_index=True)
    return dict(zip(names.tolist(), np.split(order, starts[1:]), strict=True))


def _draw(pools: list[NDArray[np.int64]], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.array([rng.choice(pools[int(rng.integers(len(pools)))]) for _ in range(n)])


def _loss(
    net: FaceSwapper,
    identity: IdentityEncoder,
    faces: Tensor,
    sources: Tensor,
    chance: torch.Generator,
) -> Tensor:
    flipped = torch.rand(len(faces), 1, 1, 1, generator=chance) < 0.5
    sources = to_side(torch.where(flipped, sources.flip(-1), sources), identity.config.side_px)
    whose = vectors_of(identity, moved(sources, chance))
    n_others = round(_OTHERS_SHARE * len(faces))
    wanted = torch.cat([whose[:n_others].roll(1, 0), whose[n_others:]])
    targets = moved(to_side(faces, SIDE_PX), chance)
    drawn = net(targets, wanted)
    redrawn, true = drawn[n_others:], targets[n_others:]
    like = identity(to_side(drawn, identity.config.side_px))
    loss: Tensor = (
        (redrawn - true).abs().mean()
        + 2.0 * (edges(redrawn) - edges(true)).abs().mean()
        + _IDENTITY_WEIGHT * (1.0 - F.cosine_similarity(like, wanted)).mean()
    )
    return loss


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--only", help="name of one")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings, crops = read_settings(arguments.config), load_crops()
    for one in (*settings.surrogates, *settings.unseen):
        if arguments.only in (None, one.name):
            net = train(one, settings.swapper, crops, load_identity(one))
            path = weights_path(one.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.save(net.state_dict(), path)


if __name__ == "__main__":
    main()
