"""Adversarial training: the network learns from faces that were attacked against it just now."""

from __future__ import annotations

import torch
from torch import Tensor

from avdetect.nn.face_network import FaceNetwork
from eval.attacks.gradient import Ball
from recipes.visual_forgery.settings import AdversarialSettings

_FAST_STEP = 1.25  # of epsilon, after a random start (Wong et al. 2020)
_PGD_STEP = 2.5  # of epsilon, over all steps


def attacked_pairs(
    net: FaceNetwork,
    faces: Tensor,
    labels: Tensor,
    settings: AdversarialSettings,
    chance: torch.Generator,
) -> Tensor:
    """Faces with some of the pairs attacked: real ones towards fake, fakes towards real.

    Args:
        net: the network under training; its statistics and gradients stay as they were.
        faces: (2N, 3, 224, 224) in [0, 1], twins side by side.
        labels: (2N,) 1 = fake.
        settings: how many, how far.
        chance: which pairs, and where the attack starts.

    Returns:
        (2N, 3, 224, 224) in [0, 1], nowhere farther than epsilon from ``faces``.
    """
    pairs = torch.rand(len(faces) // 2, generator=chance) < settings.share
    chosen = pairs.repeat_interleave(2)
    if not chosen.any():
        return faces
    ball = Ball(epsilon=settings.epsilon)
    originals, towards = faces[chosen], 1.0 - 2.0 * labels[chosen]
    start = 2.0 * torch.rand(originals.shape, generator=chance) - 1.0
    attacked = ball.hold(originals + settings.epsilon * start, originals)
    step = settings.epsilon * (_FAST_STEP if settings.steps == 1 else _PGD_STEP / settings.steps)
    was_training = net.training
    net.eval()  # the attack must not leave its mark on running statistics
    for _ in range(settings.steps):
        uphill = _uphill(net, attacked, towards)
        attacked = ball.hold(attacked + step * uphill, originals)
    net.train(was_training)
    result = faces.clone()
    result[chosen] = attacked
    return result


def _uphill(net: FaceNetwork, faces: Tensor, towards: Tensor) -> Tensor:
    moved = faces.detach().clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad((net(moved).score * towards).sum(), moved)
    return gradient.sign()
