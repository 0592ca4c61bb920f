"""Graph attention over spectral and temporal nodes, the back end of AASIST.

Jung et al. 2022, "AASIST: audio anti-spoofing using integrated spectro-temporal graph attention
networks", section 3: two graphs, one whose nodes are frequencies and one whose nodes are moments,
are joined twice in parallel, each time around a stack node that gathers the whole utterance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

JOINT_WIDTH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSettings:
    """Sizes of the head; the defaults are AASIST's.

    Attributes:
        width: features of a node before the graphs are joined.
        joint_width: features of a node afterwards; the embedding has five times as many.
        spectral_nodes: nodes of the spectral graph, each with a learned position.
        keep_spectral, keep_temporal, keep_joint: share of nodes that a pooling keeps.
        temperature, joint_temperature: of the softmax over neighbours.
    """

    width: int = 64
    joint_width: int = JOINT_WIDTH
    spectral_nodes: int = 23
    keep_spectral: float = 0.5
    keep_temporal: float = 0.7
    keep_joint: float = 0.5
    temperature: float = 2.0
    joint_temperature: float = 100.0


class GraphAttention(nn.Module):
    """Nodes of one kind look at each other; (B, N, n_in) to (B, N, n_out)."""

    def __init__(self, n_in: int, n_out: int, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature
        self.similarity = nn.Linear(n_in, n_out)
        self.relevance = _vector(n_out)
        self.from_neighbours = nn.Linear(n_in, n_out)
        self.from_itself = nn.Linear(n_in, n_out)
        self.norm = nn.BatchNorm1d(n_out)
        self.drop = nn.Dropout(0.2)

    def forward(self, nodes: Tensor) -> Tensor:
        """Mix each node with its neighbours."""
        nodes = self.drop(nodes)
        alike = torch.tanh(self.similarity(nodes[:, :, None] * nodes[:, None]))
        attention = (alike @ self.relevance / self.temperature).squeeze(-1).softmax(-1)
        mixed = self.from_neighbours(attention @ nodes) + self.from_itself(nodes)
        return _selu_norm(self.norm, mixed)


class JointGraphAttention(nn.Module):
    """Nodes of two kinds look at each other, and a stack node looks at all of them."""

    def __init__(self, n_in: int, n_out: int, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature
        self.into_shared = nn.ModuleList([nn.Linear(n_in, n_in), nn.Linear(n_in, n_in)])
        self.similarity = nn.Linear(n_in, n_out)
        self.relevance_first = _vector(n_out)
        self.relevance_second = _vector(n_out)
        self.relevance_across = _vector(n_out)
        self.from_neighbours = nn.Linear(n_in, n_out)
        self.from_itself = nn.Linear(n_in, n_out)
        self.stack_similarity = nn.Linear(n_in, n_out)
        self.stack_relevance = _vector(n_out)
        self.stack_from_nodes = nn.Linear(n_in, n_out)
        self.stack_from_itself = nn.Linear(n_in, n_out)
        self.norm = nn.BatchNorm1d(n_out)
        self.drop = nn.Dropout(0.2)

    def forward(self, first: Tensor, second: Tensor, stack: Tensor) -> tuple[Tensor, ...]:
        """Mix.

        Args:
            first: (B, N, n_in) nodes of one kind.
            second: (B, M, n_in) nodes of the other.
            stack: (B or 1, 1, n_in) the stack node.

        Returns:
            The same three with n_out features.
        """
        n_first = first.shape[1]
        nodes = torch.cat([self.into_shared[0](first), self.into_shared[1](second)], 1)
        nodes = self.drop(nodes)
        alike = torch.tanh(self.similarity(nodes[:, :, None] * nodes[:, None]))
        attention = (self._relevance(alike, n_first) / self.temperature).softmax(-1)
        stack = self._gather(nodes, stack)
        mixed = self.from_neighbours(attention @ nodes) + self.from_itself(nodes)
        mixed = _selu_norm(self.norm, mixed)
        return mixed[:, :n_first], mixed[:, n_first:], stack

    def _relevance(self, alike: Tensor, n_first: int) -> Tensor:
        across = (alike @ self.relevance_across).squeeze(-1)
        within_first = (alike[:, :n_first, :n_first] @ self.relevance_first).squeeze(-1)
        within_second = (alike[:, n_first:, n_first:] @ self.relevance_second).squeeze(-1)
        top = torch.cat([within_first, across[:, :n_first, n_first:]], 2)
        bottom = torch.cat([across[:, n_first:, :n_first], within_second], 2)
        return torch.cat([top, bottom], 1)

    def _gather(self, nodes: Tensor, stack: Tensor) -> Tensor:
        alike = torch.tanh(self.stack_similarity(nodes * stack))
        attention = (alike @ self.stack_relevance / self.temperature).softmax(1)
        gathered: Tensor = self.stack_from_nodes(attention.transpose(1, 2) @ nodes)
        return gathered + cast(Tensor, self.stack_from_itself(stack))


class TopNodes(nn.Module):
    """Keep the nodes that a learned gate opens widest (Gao & Ji 2019), scaled by the gate."""

    def __init__(self, n_features: int, keep: float) -> None:
        super().__init__()
        self.keep = keep
        self.gate = nn.Linear(n_features, 1)
        self.drop = nn.Dropout(0.3)

    def forward(self, nodes: Tensor) -> Tensor:
        """(B, N, D) to (B, max(1, int(keep N)), D), widest gate first."""
        gates = self.gate(self.drop(nodes)).sigmoid()
        chosen = gates.topk(max(int(nodes.shape[1] * self.keep), 1), dim=1).indices
        return cast(Tensor, (nodes * gates).gather(1, chosen.expand(-1, -1, nodes.shape[2])))


class _JointPath(nn.Module):
    """Two joint attentions in a row, the second added to what the first has left."""

    def __init__(self, settings: GraphSettings) -> None:
        super().__init__()
        width, joint = settings.width, settings.joint_width
        self.stack = nn.Parameter(torch.randn(1, 1, width))
        self.first = JointGraphAttention(width, joint, settings.joint_temperature)
        self.second = JointGraphAttention(joint, joint, settings.joint_temperature)
        self.keep_temporal = TopNodes(joint, settings.keep_joint)
        self.keep_spectral = TopNodes(joint, settings.keep_joint)

    def forward(self, temporal: Tensor, spectral: Tensor) -> tuple[Tensor, ...]:
        temporal, spectral, stack = self.first(temporal, spectral, self.stack)
        kept = self.keep_temporal(temporal), self.keep_spectral(spectral), stack
        return tuple(a + b for a, b in zip(kept, self.second(*kept), strict=True))


class GraphHead(nn.Module):
    """Two graphs to one embedding of ``5 * joint_width`` features."""

    def __init__(self, settings: GraphSettings) -> None:
        super().__init__()
        width = settings.width
        self.width = 5 * settings.joint_width
        self.position = nn.Parameter(torch.randn(1, settings.spectral_nodes, width))
        self.spectral = GraphAttention(width, width, settings.temperature)
        self.temporal = GraphAttention(width, width, settings.temperature)
        self.keep_spectral = TopNodes(width, settings.keep_spectral)
        self.keep_temporal = TopNodes(width, settings.keep_temporal)
        self.paths = nn.ModuleList([_JointPath(settings), _JointPath(settings)])
        self.drop = nn.Dropout(0.2)

    def forward(self, spectral: Tensor, temporal: Tensor) -> Tensor:
        """Join.

        Args:
            spectral: (B, spectral_nodes, width).
            temporal: (B, T, width).

        Returns:
            (B, 5 * joint_width): largest magnitude and mean over moments, the same over
            frequencies, and the stack node.
        """
        spectral = self.keep_spectral(self.spectral(spectral + self.position))
        temporal = self.keep_temporal(self.temporal(temporal))
        a, b = (path(temporal, spectral) for path in self.paths)
        moments, bands, stack = (
            torch.maximum(self.drop(x), self.drop(y)) for x, y in zip(a, b, strict=True)
        )
        views = [moments.abs().amax(1), moments.mean(1), bands.abs().amax(1), bands.mean(1)]
        return torch.cat([*views, stack.squeeze(1)], dim=1)


def _vector(n: int) -> nn.Parameter:
    weights = torch.empty(n, 1)
    nn.init.xavier_normal_(weights)
    return nn.Parameter(weights)


def _selu_norm(norm: nn.BatchNorm1d, nodes: Tensor) -> Tensor:
    normal = cast(Tensor, norm(nodes.flatten(0, 1))).reshape(nodes.shape)
    return F.selu(normal)
