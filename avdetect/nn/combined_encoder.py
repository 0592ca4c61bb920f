"""Several views of one sound, each through an encoder of its own, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from avdetect.nn.voice_net import VoiceEncoder


class CombinedEncoder(nn.Module):
    """Frames and statistics of all views, joined feature to feature.

    Args:
        encoders: by the name of their view; each a `VoiceEncoder`.
    """

    def __init__(self, encoders: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.views = nn.ModuleDict(encoders)
        known = [cast(VoiceEncoder, encoder) for encoder in encoders.values()]
        self.width = sum(encoder.width for encoder in known)
        self.n_statistics = sum(encoder.n_statistics for encoder in known)

    def forward(self, inputs: tuple[Tensor, ...], speech: Tensor) -> tuple[Tensor, Tensor]:
        """Encode.

        Args:
            inputs: one tensor per view, in the order of ``encoders``.
            speech: (B, T) share of each 50 ms step that is speech.

        Returns:
            Frames (B, width, T) and statistics (B, n_statistics).
        """
        seen = [view(x, speech) for view, x in zip(self.views.values(), inputs, strict=True)]
        frames, statistics = zip(*seen, strict=True)
        return torch.cat(frames, 1), torch.cat(statistics, 1)
