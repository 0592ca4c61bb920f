"""White-box attacks: FGSM (Goodfellow et al. 2015) and PGD (Madry et al. 2018) in an L-inf ball."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

# (B, ...) inputs to (B,) scores, higher = more fake, with gradients.
Score: TypeAlias = "Callable[[Tensor], Tensor]"

_STEP_SHARE = 2.5  # of epsilon, spread over the steps, so that the rim can be reached and left


@dataclass(frozen=True, slots=True, kw_only=True)
class Ball:
    """What an attack may do.

    Attributes:
        epsilon: largest change of any value: a number, or one that fits the inputs' shape.
        low, high: range that values keep to.
    """

    epsilon: float | Tensor
    low: float = 0.0
    high: float = 1.0

    def hold(self, attacked: Tensor, original: Tensor) -> Tensor:
        """(B, ...) to the nearest inputs that the attack may make of ``original``."""
        near = torch.minimum(
            torch.maximum(attacked, original - self.epsilon), original + self.epsilon
        )
        return near.clamp(self.low, self.high)


def fgsm(score: Score, inputs: Tensor, towards: Tensor, ball: Ball) -> Tensor:
    """One step of the gradient's sign to the rim of the ball.

    Args:
        score: what is attacked.
        inputs: (B, ...).
        towards: (B,) +1 to look fake, -1 to look real.
        ball: what may be changed.
    """
    return ball.hold(inputs + ball.epsilon * _uphill(score, inputs, towards), inputs)


def pgd(
    score: Score,
    inputs: Tensor,
    towards: Tensor,
    ball: Ball,
    n_steps: int,
    chance: torch.Generator,
) -> Tensor:
    """Steps of the gradient's sign from a random start, each held in the ball; the best is kept.

    Args:
        score: what is attacked.
        inputs: (B, ...); they are kept where no step does better.
        towards: (B,) +1 to look fake, -1 to look real.
        ball: what may be changed.
        n_steps: gradients taken.
        chance: of the start.
    """
    start = 2.0 * torch.rand(inputs.shape, generator=chance) - 1.0
    attacked = ball.hold(inputs + ball.epsilon * start, inputs)
    best, best_score = inputs, _reached(score, inputs, towards)
    for _ in range(n_steps):
        step = _STEP_SHARE / n_steps * ball.epsilon
        attacked = ball.hold(attacked + step * _uphill(score, attacked, towards), inputs)
        reached = _reached(score, attacked, towards)
        better = (reached > best_score).view(-1, *[1] * (inputs.dim() - 1))
        best = torch.where(better, attacked, best)
        best_score = torch.maximum(reached, best_score)
    return best


def _uphill(score: Score, inputs: Tensor, towards: Tensor) -> Tensor:
    moved = inputs.detach().clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad((score(moved) * towards).sum(), moved)
    return gradient.sign()


def _reached(score: Score, inputs: Tensor, towards: Tensor) -> Tensor:
    with torch.no_grad():
        return score(inputs) * towards
