"""AV-HuBERT as the streams of the lip-sync branch: its frames under two small projections of ours.

AV-HuBERT stays as it was published (Shi et al. 2022); what is learnt is one linear layer for each
modality, as AVH-Align learns on frozen features (Smeu et al. 2025).
"""

from __future__ import annotations

from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avdetect.nn.av_hubert import AvHubert, AvHubertSettings
from avdetect.nn.filter_banks import LogFilterBanks
from avdetect.nn.shapes import check_shape
from avdetect.nn.sync_encoder import SPEECH_FRAMES, WINDOW_FRAMES, SyncNet
from avdetect.observation import MOUTH_CROP_PX

_SIDE_PX = 88  # of the published models' pictures, cut out of 96 px
_MEAN, _SPREAD = 0.421, 0.165  # of their grey levels


class AvHubertSync(SyncNet):
    """Frames of AV-HuBERT, of mouths alone and of speech alone, projected to unit vectors.

    Args:
        settings: of the network, which is frozen.
        embedding: width of the unit vectors.
    """

    crop_px = MOUTH_CROP_PX

    def __init__(self, settings: AvHubertSettings, embedding: int) -> None:
        super().__init__()
        self.embedding = embedding
        self.net = AvHubert(settings).requires_grad_(False).eval()
        self.mouth = nn.Linear(settings.width, embedding)
        self.speech = nn.Linear(settings.width, embedding)

    def sound_features(self) -> nn.Module:
        """(B, 38400) sound to (B, 60, 104), see `LogFilterBanks`."""
        return LogFilterBanks()

    def train(self, mode: bool = True) -> Self:
        """Train the projections; AV-HuBERT keeps the statistics it came with."""
        super().train(mode)
        self.net.eval()
        return self

    def forward(
        self, mouths: Tensor, lips: Tensor, sound: Tensor, heard: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Embed a batch of windows.

        Args:
            mouths: (B, 30, 96, 96) float32 in [0, 1].
            lips: not read; they are in the pictures.
            sound: (B, 60, 104) float32 from `sound_features`.
            heard: (B, 60) 1 where a frame of sound exists, 0 beyond the recording's edge.

        Returns:
            Unit vectors (B, 30, E) of mouths and (B, 60, E) of speech.

        Raises:
            ShapeError: if a tensor is of another shape.
        """
        n_features = self.net.settings.sound_features
        check_shape(mouths, f"B {WINDOW_FRAMES} {self.crop_px} {self.crop_px}", "mouths")
        check_shape(sound, f"B {SPEECH_FRAMES} {n_features}", "sound")
        check_shape(heard, f"B {SPEECH_FRAMES}", "heard")
        with torch.no_grad():
            seen = self.net(mouths=mouth_pictures(mouths))
            said = self.net(sound=sound, heard=heard > 0)
        return F.normalize(self.mouth(seen), dim=2), F.normalize(self.speech(said), dim=2)


def mouth_pictures(mouths: Tensor) -> Tensor:
    """Mouth crops as AV-HuBERT reads them: (B, T, 96, 96) in [0, 1] to (B, T, 88, 88)."""
    margin = (MOUTH_CROP_PX - _SIDE_PX) // 2
    inner = slice(margin, margin + _SIDE_PX)
    return (mouths[:, :, inner, inner] - _MEAN) / _SPREAD
