"""Low-rank adaptation (Hu et al. 2021): a frozen weight learns only a small matrix product."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

_GAIN = 2.0  # alpha over rank, so that the step does not depend on the rank


class LowRankShift(nn.Module):
    """``weight + 2 up @ down``; it begins at ``weight``, because ``up`` begins at zero.

    A parametrisation and not a layer: some models (WavLM) read a layer's weight themselves.

    Args:
        n_out: rows of the weight.
        n_in: its columns.
        rank: inner size of the product.
    """

    def __init__(self, n_out: int, n_in: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.empty(rank, n_in))
        self.up = nn.Parameter(torch.zeros(n_out, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, weight: Tensor) -> Tensor:
        """(n_out, n_in) to the same."""
        return weight + _GAIN * self.up @ self.down


def adapt(layer: nn.Linear, rank: int) -> None:
    """Freeze a layer and let its weight be shifted by a product of that rank."""
    layer.requires_grad_(False)
    shift = LowRankShift(layer.out_features, layer.in_features, rank)
    parametrize.register_parametrization(layer, "weight", shift)
