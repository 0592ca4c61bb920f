"""What the encoders of faces and of voices share: a cosine softmax with a margin, and its files."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_SCALE, _MARGIN = 20.0, 0.2  # cosine softmax with an additive margin (CosFace, Wang et al. 2018)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTraining:
    """How long an encoder is trained, and on whom.

    Attributes:
        name: of the encoder, for what is printed.
        n_people: classes.
        width: of the encoder's vectors.
        n_steps: of the optimiser.
        learning_rate: at its highest.
        told_every: steps between two lines printed.
    """

    name: str
    n_people: int
    width: int
    n_steps: int
    learning_rate: float
    told_every: int


def train_by_margin(
    net: nn.Module, training: MarginTraining, draw: Callable[[], tuple[Tensor, Tensor]]
) -> None:
    """Train an encoder so that vectors of one person lie closer than those of two, by a margin.

    Args:
        net: changed in place.
        training: how long, and on how many.
        draw: unit vectors (B, width) of the next batch and whose they are, (B,) int64.
    """
    centres = nn.Parameter(torch.randn(training.n_people, training.width) * 0.1)
    optimiser = torch.optim.AdamW(
        [*net.parameters(), centres], training.learning_rate, weight_decay=0.05
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, training.learning_rate, total_steps=training.n_steps
    )
    start = time.monotonic()
    for step in range(training.n_steps):
        vectors, labels = draw()
        cosines = vectors @ F.normalize(centres).T
        apart = cosines - _MARGIN * F.one_hot(labels, training.n_people)
        loss = F.cross_entropy(_SCALE * apart, labels)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if (step + 1) % training.told_every == 0:
            print(
                f"{training.name}: step {step + 1}, loss {loss.item():.3f}, "
                f"{time.monotonic() - start:.0f} s",
                flush=True,
            )


def load_rounded(net: nn.Module, path: Path) -> None:
    """Weights of a file into a network that is to judge, rounded to half floats as they ship."""
    state = torch.load(path, weights_only=True)
    rounded = {k: v.half().float() if v.is_floating_point() else v for k, v in state.items()}
    net.load_state_dict(rounded)
    net.eval().requires_grad_(False)
