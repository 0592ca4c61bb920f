"""Frames of a voice to one token and one score per half second."""

from __future__ import annotations

from typing import Protocol, cast

import torch
from torch import Tensor, nn

from avdetect.nn.pooling import row_means, weighted_statistics

STEPS_PER_ROW = 10  # 50 ms each: rows of half a second


class VoiceEncoder(Protocol):
    """What stands below the head: `SpectrogramEncoder` or `Wav2VecEncoder`."""

    width: int
    n_statistics: int

    def __call__(self, inputs: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and (B, T) speech to frames (B, width, T) and statistics (B, n_statistics)."""
        ...


class VoiceNet(nn.Module):
    """An encoder and a head that judges each row in the light of its whole observation.

    Args:
        encoder: the front end's network.
        token_width: D of the tokens.
        dropout: share of pooled features dropped in training.
    """

    def __init__(self, encoder: VoiceEncoder, token_width: int = 96, dropout: float = 0.3) -> None:
        super().__init__()
        self.encoder = encoder
        self.token_width = token_width
        pooled = 3 * encoder.width + encoder.n_statistics
        self.normalise = nn.BatchNorm1d(pooled)
        self.token = nn.Sequential(nn.Dropout(dropout), nn.Linear(pooled, token_width), nn.GELU())
        self.score = nn.Sequential(nn.Dropout(dropout), nn.Linear(token_width, 1))

    def forward(self, inputs: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
        """Judge.

        Args:
            inputs: what the encoder reads, over T steps of 50 ms, T a multiple of 10.
            speech: (B, T) share of each step that is speech.

        Returns:
            Tokens (B, T / 10, D) and scores (B, T / 10), higher = more fake.
        """
        frames, statistics = self.encoder(inputs, speech)
        rows = row_means(frames, speech, STEPS_PER_ROW)
        whole = torch.cat([*weighted_statistics(frames, speech), statistics], 1)
        pooled = torch.cat([rows, whole[:, None].expand(-1, rows.shape[1], -1)], 2)
        tokens = self.token(self.normalise(pooled.flatten(0, 1))).unflatten(0, rows.shape[:2])
        return cast(Tensor, tokens), cast(Tensor, self.score(tokens)).squeeze(-1)
