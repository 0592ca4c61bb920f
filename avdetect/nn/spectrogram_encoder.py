"""Log-mel picture and cepstral sequence of a voice to one frame of features per 50 ms."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from avdetect.nn.pooling import weighted_statistics
from avdetect.nn.residual import Residual1d, Residual2d, conv_unit
from avdetect.nn.shapes import check_shape


class SpectrogramEncoder(nn.Module):
    """Two small residual networks side by side.

    The mel picture loses each band's mean first (a line's colour is no forgery); the cepstra keep
    it, and their plain statistics go past the network to the head.

    Args:
        n_mels: bands of the first view.
        n_cepstra: rows of the second view, differences included.
        width: features of each view.
    """

    def __init__(self, n_mels: int, n_cepstra: int, width: int = 96) -> None:
        super().__init__()
        self.n_mels = n_mels
        self.n_cepstra = n_cepstra
        self.width = 2 * width
        self.n_statistics = 2 * n_cepstra
        self.picture = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            Residual2d(16, 24, (2, 1)),
            Residual2d(24, 40, (2, 2)),
            Residual2d(40, 56, (2, 1)),
        )
        self.picture_out = conv_unit(56 * (n_mels // 16), width, 1, 1)
        self.normalise = nn.BatchNorm1d(n_cepstra)
        self.sequence = nn.Sequential(
            conv_unit(n_cepstra, width, 5, 2),
            Residual1d(width, 1),
            conv_unit(width, width, 3, 2),
            Residual1d(width, 2),
            Residual1d(width, 3),
        )

    def forward(self, views: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
        """Encode.

        Args:
            views: (B, D, 4 T) four spectral frames to a step; of the D rows the first are mel
                bands, then cepstra; what follows is not read here.
            speech: (B, T) share of each step that is speech.

        Returns:
            Frames (B, width, T) and cepstral statistics (B, n_statistics).
        """
        check_shape(views, f"{speech.shape[0]} D {4 * speech.shape[1]}", "views")
        weights = speech.repeat_interleave(4, 1)
        mel, cepstra, _ = views.tensor_split((self.n_mels, self.n_mels + self.n_cepstra), 1)
        cepstra = self.normalise(cepstra)
        mean, _ = weighted_statistics(mel, weights)
        picture = self.picture((mel - mean[..., None])[:, None] / 3.0)
        frames = torch.cat([self.picture_out(picture.flatten(1, 2)), self.sequence(cepstra)], 1)
        return frames, torch.cat(weighted_statistics(cepstra, weights), 1)
