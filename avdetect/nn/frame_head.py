"""Steps of an encoder to one score every 20 ms: where in an observation the forged speech is."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from avdetect.nn.pooling import weighted_statistics
from avdetect.nn.residual import Residual1d, conv_unit

_MOMENTS_PER_STEP = 5  # of 10 ms; a frame is two of them


class FrameHead(nn.Module):
    """A small network over steps, which sees each beside its distance from the whole observation.

    A word that was put in differs from the rest of the call; a voice forged throughout differs
    from nothing, so the steps themselves are seen, too.

    Args:
        n_in: features of a step.
        width: features of the head.
        dropout: share of features dropped in training.
    """

    def __init__(self, n_in: int, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm1d(2 * n_in),
            nn.Dropout1d(dropout),
            conv_unit(2 * n_in, width, 3, 1),
            Residual1d(width, 2),
            Residual1d(width, 4),
            nn.Conv1d(width, _MOMENTS_PER_STEP, 3, padding=1),
        )

    def forward(self, steps: Tensor, speech: Tensor) -> Tensor:
        """Score.

        Args:
            steps: (B, n_in, T) features every 50 ms, T even.
            speech: (B, T) share of each step that is speech.

        Returns:
            (B, 2.5 T) one score for every 20 ms, higher = more fake.
        """
        mean, deviation = weighted_statistics(steps, speech)
        distance = (steps - mean[..., None]) / deviation[..., None].clamp(min=0.1)
        moments = self.layers(torch.cat([steps, distance.clamp(-5.0, 5.0)], 1))
        pairs = moments.transpose(1, 2).flatten(1).unflatten(1, (-1, 2))
        return cast(Tensor, pairs.mean(2))
