"""A pretrained speech model as front end: a learned sum of its layers."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_LEAST_POWER = 1e-7


class SpeechEncoder(nn.Module):
    """Frames of a speech model, mixed over layers and projected.

    Args:
        speech_model: transformers' model of the wav2vec 2.0 family; what of it requires a gradient
            is trained along. While nothing does it stays in eval mode.
        width: features per step.
    """

    n_statistics = 0

    def __init__(self, speech_model: nn.Module, width: int) -> None:
        super().__init__()
        self.width = width
        self.speech_model = speech_model
        config: Any = speech_model.config
        self.layer_logits = nn.Parameter(torch.zeros(config.num_hidden_layers + 1))
        self.project = nn.Sequential(nn.Linear(config.hidden_size, width), nn.GELU())

    def train(self, mode: bool = True) -> SpeechEncoder:
        """As ever, but a frozen speech model stays in eval mode."""
        super().train(mode)
        self.speech_model.train(mode and self._is_tuned())
        return self

    def forward(self, waveform: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
        """Encode.

        Args:
            waveform: (B, 800 T) float32 at 16 kHz.
            speech: (B, T) share of each 50 ms step that is speech.

        Returns:
            Frames (B, width, T) and statistics (B, 0).
        """
        mean = waveform.mean(1, keepdim=True)
        power = (waveform - mean).square().mean(1, keepdim=True)
        standard = (waveform - mean) / (power + _LEAST_POWER).sqrt()
        with torch.set_grad_enabled(torch.is_grad_enabled() and self._is_tuned()):
            layers = self.speech_model(standard, output_hidden_states=True).hidden_states
        shares = self.layer_logits.softmax(0)
        mixed = sum(share * layer for share, layer in zip(shares, layers, strict=True))
        frames = self.project(mixed).transpose(1, 2)
        steps = F.interpolate(frames, speech.shape[1], mode="linear", align_corners=False)
        return steps, steps.new_zeros(len(steps), 0)

    def _is_tuned(self) -> bool:
        return any(p.requires_grad for p in self.speech_model.parameters())
