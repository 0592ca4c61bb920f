"""A whole-window judge (AASIST, XLS-R + AASIST) behind the face of `VoiceNet`."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from avdetect.nn.aasist import AASIST_SAMPLES, fake_score
from avdetect.nn.pooling import STEPS_PER_ROW


class WindowJudge(Protocol):
    """`Aasist` or `XlsrAasist`."""

    def __call__(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """(B, `AASIST_SAMPLES`) to embeddings (B, D) and logits (B, 2): spoof, bona fide."""
        ...


class GraphVoiceNet(nn.Module):
    """One score and one embedding for an observation, given to each of its rows.

    Args:
        judge: looks at 4.04 s at once; an observation is repeated from its start up to that, as
            the official code does with short files.
        token_width: features of the judge's embedding.
    """

    linear_judge = None  # a published network stands alone

    def __init__(self, judge: WindowJudge, token_width: int) -> None:
        super().__init__()
        self.judge = judge
        self.token_width = token_width

    def forward(self, inputs: Tensor, speech: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Judge; see `VoiceNet.forward`.

        Args:
            inputs: (B, S) waveform at 16 kHz.
            speech: (B, T) share of each 50 ms step that is speech: only T is read.
        """
        n_rows = speech.shape[1] // STEPS_PER_ROW
        repeats = -(-AASIST_SAMPLES // inputs.shape[1])
        waveform = torch.cat([inputs] * repeats, 1)[:, :AASIST_SAMPLES]
        embedding, logits = self.judge(waveform)
        tokens = embedding[:, None].expand(-1, n_rows, -1)
        scores = fake_score(logits)[:, None].expand(-1, n_rows)
        return tokens, scores, scores[:, :0]
