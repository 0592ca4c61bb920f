"""XLS-R or another wav2vec 2.0 model under AASIST's graph head (Tak et al. 2022).

"Automatic speaker verification spoofing and deepfake detection using wav2vec 2.0 and data
augmentation"; layout of github.com/TakHemlata/SSL_Anti-spoofing, where the speech model is
fine-tuned and therefore part of the checkpoint.
"""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn
from transformers import Wav2Vec2Model

from avdetect.nn.aasist import residual_encoder
from avdetect.nn.graph_attention import GraphHead, GraphSettings

_PROJECTED = 128  # features of a speech frame, pooled by three: 42 spectral nodes after the encoder
_MAPS = 64


class XlsrAasist(nn.Module):
    """Speech frames seen as a picture, a residual encoder, attention over time and over features.

    Args:
        speech_model: transformers' model; the official checkpoint holds XLS-R 300M.
    """

    def __init__(self, speech_model: Wav2Vec2Model) -> None:
        super().__init__()
        self.speech_model = speech_model
        self.project = nn.Linear(speech_model.config.hidden_size, _PROJECTED)
        self.norm = nn.BatchNorm2d(1)
        self.encoder = residual_encoder(_MAPS, pooled=False)
        self.norm_maps = nn.BatchNorm2d(_MAPS)
        self.attention = nn.Sequential(
            nn.Conv2d(_MAPS, 2 * _MAPS, 1),
            nn.SELU(),
            nn.BatchNorm2d(2 * _MAPS),
            nn.Conv2d(2 * _MAPS, _MAPS, 1),
        )
        self.head = GraphHead(
            GraphSettings(spectral_nodes=_PROJECTED // 3, keep_spectral=0.5, keep_temporal=0.5)
        )
        self.drop = nn.Dropout(0.5)
        self.classify = nn.Linear(self.head.width, 2)

    def forward(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """(B, S) raw sound at 16 kHz to embeddings (B, 160) and logits (B, 2): spoof, bona fide."""
        frames = self.project(self.speech_model(waveform).last_hidden_state)
        picture = F.selu(self.norm(F.max_pool2d(frames.transpose(1, 2)[:, None], 3)))
        maps = F.selu(self.norm_maps(self.encoder(picture)))
        weights = self.attention(maps)
        spectral = (maps * weights.softmax(3)).sum(3).transpose(1, 2)
        temporal = (maps * weights.softmax(2)).sum(2).transpose(1, 2)
        embedding = self.head(spectral, temporal)
        return embedding, cast(Tensor, self.classify(self.drop(embedding)))
