"""Frames of a voice to one token and one score per half second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from avdetect.nn.frame_head import FrameHead
from avdetect.nn.redrawing_judge import RedrawingJudge
from avdetect.nn.voice_pooling import VoicePooling


class VoiceEncoder(Protocol):
    """What stands below the head; see `avdetect.branches.voice_front_ends.VIEWS`."""

    width: int
    n_statistics: int

    def __call__(self, inputs: Any, speech: Tensor) -> tuple[Tensor, Tensor]:
        """Its view and (B, T) speech to frames (B, width, T) and statistics (B, n_statistics)."""
        ...


class VoiceNet(nn.Module):
    """An encoder and a head that judges each row in the light of its whole observation.

    Args:
        encoder: the front end's network.
        pooling: class of the pooling, made for the encoder's width.
        token_width: D of the tokens.
        dropout: share of pooled features dropped in training.
        linear_judge: gives the scores of rows in place of the network; None where there is none.
        frame_width: features of the head that scores every 20 ms; 0 for a network without one.
    """

    def __init__(
        self,
        encoder: VoiceEncoder,
        pooling: Callable[[int], VoicePooling],
        token_width: int,
        dropout: float,
        linear_judge: RedrawingJudge | None = None,
        frame_width: int = 0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.pooling = pooling(encoder.width)
        self.linear_judge = linear_judge
        self.token_width = token_width
        pooled = self.pooling.row_width + self.pooling.whole_width + encoder.n_statistics
        self.normalise = nn.BatchNorm1d(pooled)
        self.token = nn.Sequential(nn.Dropout(dropout), nn.Linear(pooled, token_width), nn.GELU())
        self.score = nn.Sequential(nn.Dropout(dropout), nn.Linear(token_width, 1))
        self.frames = FrameHead(encoder.width, frame_width, dropout) if frame_width else None

    def forward(self, inputs: Tensor, speech: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The network's own judgement; the linear judge is asked by the branch.

        Args:
            inputs: what the encoder reads, over T steps of 50 ms, T a multiple of 10.
            speech: (B, T) share of each step that is speech.

        Returns:
            Tokens (B, T / 10, D), scores of rows (B, T / 10) and of frames of 20 ms (B, 2.5 T),
            (B, 0) without a head for them; higher = more fake.
        """
        frames, moments = self.encoder(inputs, speech)
        rows, whole = self.pooling(frames, speech)
        context = torch.cat([whole, moments], 1)[:, None].expand(-1, rows.shape[1], -1)
        pooled = torch.cat([rows, context], 2)
        tokens = self.token(self.normalise(pooled.flatten(0, 1))).unflatten(0, rows.shape[:2])
        scores = cast(Tensor, self.score(tokens)).squeeze(-1)
        located = frames[:, 0, :0] if self.frames is None else self.frames(frames, speech)
        return cast(Tensor, tokens), scores, located
