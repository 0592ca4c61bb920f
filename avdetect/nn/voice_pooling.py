"""Frames of a voice to what each half-second row, and the whole observation, is judged by."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from avdetect.nn.graph_attention import GraphHead, GraphSettings
from avdetect.nn.pooling import STEPS_PER_ROW, row_means, weighted_statistics

_HIDDEN = 64
# A frame counts at least e^-6 of the one most attended to: rows of dull frames stay defined.
_LEAST_LOG_ATTENTION = -6.0
_BANDS = 24
_NODE_WIDTH = 32


class VoicePooling(Protocol):
    """`MeanPooling`, `AttentivePooling` or `GraphPooling`.

    Attributes:
        row_width: features of a row.
        whole_width: features of the observation.
    """

    row_width: int
    whole_width: int

    def __call__(self, frames: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
        """Pool.

        Args:
            frames: (B, width, T), T a multiple of 10.
            speech: (B, T) share of each step that is speech.

        Returns:
            Rows (B, T / 10, row_width) and the whole (B, whole_width).
        """
        ...


class MeanPooling(nn.Module):
    """Means over rows, mean and deviation over all, each frame weighted by its speech.

    Args:
        width: features of a frame.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.row_width = width
        self.whole_width = 2 * width

    def forward(self, frames: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
        """Pool; see `VoicePooling`."""
        whole = torch.cat(weighted_statistics(frames, speech), 1)
        return row_means(frames, speech, STEPS_PER_ROW), whole


class AttentivePooling(nn.Module):
    """The same with weights that are learned for each feature.

    Okabe et al. 2018, "Attentive statistics pooling for deep speaker embedding"; one weight per
    feature as in ECAPA-TDNN (Desplanques et al. 2020). A row is pooled by the same weights.

    Args:
        width: features of a frame.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.row_width = width
        self.whole_width = 2 * width
        self.attention = nn.Sequential(
            nn.Conv1d(width, _HIDDEN, 1), nn.Tanh(), nn.Conv1d(_HIDDEN, width, 1)
        )

    def forward(self, frames: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
        """Pool; see `VoicePooling`."""
        relevance = self.attention(frames)
        relevance = (relevance - relevance.amax(2, keepdim=True)).clamp(min=_LEAST_LOG_ATTENTION)
        weights = relevance.exp() * _spoken(speech)[:, None]
        whole = torch.cat(weighted_statistics(frames, weights), 1)
        return row_means(frames, weights, STEPS_PER_ROW), whole


class GraphPooling(nn.Module):
    """AASIST's graphs over moments and learned bands (Jung et al. 2022) judge the whole.

    An encoder's features are no frequencies any more; as on speech models (Tak et al. 2022) they
    are projected and seen as bands. Rows are means as in `MeanPooling`.

    Args:
        width: features of a frame.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.bands = nn.Sequential(
            nn.Conv1d(width, _NODE_WIDTH * _BANDS, 1, bias=False),
            nn.BatchNorm1d(_NODE_WIDTH * _BANDS),
            nn.SELU(),
        )
        self.head = GraphHead(GraphSettings(width=_NODE_WIDTH, spectral_nodes=_BANDS))
        self.row_width = width
        self.whole_width = self.head.width

    def forward(self, frames: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
        """Pool; see `VoicePooling`."""
        maps = self.bands(frames).unflatten(1, (_NODE_WIDTH, _BANDS))
        size = maps.abs() * _spoken(speech)[:, None, None]
        whole = self.head(size.amax(3).transpose(1, 2), size.amax(2).transpose(1, 2))
        return row_means(frames, speech, STEPS_PER_ROW), whole


def _spoken(speech: Tensor) -> Tensor:
    """(B, T) shares of speech; where there is none, every step counts alike."""
    return torch.where(speech.sum(1, keepdim=True) > 0, speech, torch.ones_like(speech))
