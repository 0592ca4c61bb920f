"""A forest of decision trees as tensors: grown elsewhere, run here like any other layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_LEAST_PROBABILITY = 0.01


class Forest(nn.Module):
    """Mean leaf probability of many trees, as log-odds.

    Nodes of all trees lie in one row in depth-first order, so that a node's left child is the next
    node. Leaves have feature -1.

    Args:
        n_trees: number of trees.
        n_nodes: nodes of all trees together, under 2^24.
        depth: steps from a root to the deepest leaf.
    """

    roots: Tensor
    feature: Tensor
    threshold: Tensor
    right: Tensor
    value: Tensor

    def __init__(self, n_trees: int, n_nodes: int, depth: int) -> None:
        super().__init__()
        self.depth = depth
        self.register_buffer("roots", torch.zeros(n_trees, dtype=torch.int32))
        self.register_buffer("feature", torch.full((n_nodes,), -1, dtype=torch.int16))
        self.register_buffer("threshold", torch.zeros(n_nodes))
        self.register_buffer("right", torch.zeros(n_nodes, dtype=torch.int32))
        self.register_buffer("value", torch.zeros(n_nodes))

    def forward(self, features: Tensor) -> Tensor:
        """(B, K) to (B,) log-odds of fake; a feature at or below a threshold goes left."""
        node = self.roots.long()[None].expand(len(features), -1)
        for _ in range(self.depth):
            feature = self.feature[node].long()
            goes_left = features.gather(1, feature.clamp(min=0)) <= self.threshold[node]
            child = torch.where(goes_left, node + 1, self.right[node].long())
            node = torch.where(feature < 0, node, child)
        fake = self.value[node].mean(1).clamp(_LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
        return fake.logit()
