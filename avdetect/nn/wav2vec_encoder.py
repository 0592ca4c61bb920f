"""A frozen wav2vec 2.0 model (Baevski et al. 2020) as front end: a learned sum of its layers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import Wav2Vec2Config, Wav2Vec2Model

_LEAST_POWER = 1e-7


class Wav2VecEncoder(nn.Module):
    """Frames of a frozen speech model, mixed over layers and projected.

    Args:
        speech_model: the pretrained model; it is frozen and kept in eval mode.
        width: features per step.
    """

    n_statistics = 0

    def __init__(self, speech_model: Wav2Vec2Model, width: int = 192) -> None:
        super().__init__()
        self.width = width
        self.speech_model = speech_model.requires_grad_(False)
        config: Wav2Vec2Config = speech_model.config
        self.layer_logits = nn.Parameter(torch.zeros(config.num_hidden_layers + 1))
        self.project = nn.Sequential(nn.Linear(config.hidden_size, width), nn.GELU())

    def train(self, mode: bool = True) -> Wav2VecEncoder:
        """As ever, but the speech model stays in eval mode: it is frozen."""
        super().train(mode)
        self.speech_model.train(False)
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
        with torch.no_grad():
            layers = self.speech_model(
                (waveform - mean) / (power + _LEAST_POWER).sqrt(), output_hidden_states=True
            ).hidden_states
        shares = self.layer_logits.softmax(0)
        mixed = sum(share * layer for share, layer in zip(shares, layers, strict=True))
        frames = self.project(mixed).transpose(1, 2)
        steps = F.interpolate(frames, speech.shape[1], mode="linear", align_corners=False)
        return steps, steps.new_zeros(len(steps), 0)
