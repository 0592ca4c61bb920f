"""AASIST: raw waveform to bona fide or spoof (Jung et al. 2022), layout of the official weights.

waveform ── sinc band-passes ── residual 2-D encoder ──┬ largest over time: bands ───┐
                                                       └ largest over bands: moments ┴ graph head
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from avdetect.nn.graph_attention import GraphHead, GraphSettings
from avdetect.nn.shapes import check_shape
from avdetect.timebase import SAMPLE_RATE_HZ

AASIST_SAMPLES = 64_600  # what the official weights were trained on: 4.04 s at 16 kHz
_N_FILTERS = 70
_N_TAPS = 129
_SPOOF, _BONA_FIDE = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AasistSettings:
    """Sizes; the defaults are AASIST's, `AASIST_L` are those of AASIST-L.

    Attributes:
        width: channels of the encoder's later blocks.
        keep_spectral, keep_temporal, keep_joint: see `GraphSettings`.
    """

    width: int = 64
    keep_spectral: float = 0.5
    keep_temporal: float = 0.7
    keep_joint: float = 0.5


AASIST_L = AasistSettings(width=24, keep_spectral=0.4, keep_temporal=0.5, keep_joint=0.7)


class Aasist(nn.Module):
    """See the module's words; dropouts as in the paper, so that it can be trained on."""

    def __init__(self, settings: AasistSettings) -> None:
        super().__init__()
        self.register_buffer("filters", _sinc_filters(), persistent=False)
        self.norm = nn.BatchNorm2d(1)
        self.encoder = residual_encoder(settings.width, pooled=True)
        self.head = GraphHead(
            GraphSettings(
                width=settings.width,
                keep_spectral=settings.keep_spectral,
                keep_temporal=settings.keep_temporal,
                keep_joint=settings.keep_joint,
            )
        )
        self.drop = nn.Dropout(0.5)
        self.classify = nn.Linear(self.head.width, 2)

    def forward(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """Judge.

        Args:
            waveform: (B, S) float32 at 16 kHz, S = `AASIST_SAMPLES` for the official weights.

        Returns:
            Embeddings (B, 160) and logits (B, 2) in the official order: spoof, bona fide.
        """
        maps = self.encode(waveform)
        size = maps.abs()
        embedding = self.head(size.amax(3).transpose(1, 2), size.amax(2).transpose(1, 2))
        return embedding, self.classify(self.drop(embedding))

    def encode(self, waveform: Tensor) -> Tensor:
        """(B, S) to feature maps (B, width, bands, moments)."""
        bands = F.conv1d(waveform[:, None], cast(Tensor, self.filters))
        picture = F.max_pool2d(bands[:, None].abs(), 3)
        return cast(Tensor, self.encoder(F.selu(self.norm(picture))))


class ResidualBlock(nn.Module):
    """Two 2 x 3 convolutions around a shortcut.

    The paper's figure has a norm before the first convolution; the official code computes it and
    then convolves the block's input instead, and its weights were trained so.
    """

    def __init__(self, n_in: int, n_out: int, *, pooled: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, (2, 3), padding=(1, 1))
        self.norm = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, (2, 3), padding=(0, 1))
        self.shortcut = nn.Conv2d(n_in, n_out, (1, 3), padding=(0, 1)) if n_in != n_out else None
        self.pooled = pooled

    def forward(self, maps: Tensor) -> Tensor:
        """(B, n_in, H, W) to (B, n_out, H, W), or W // 3 where pooled."""
        out = self.conv2(F.selu(self.norm(self.conv1(maps))))
        out = out + (maps if self.shortcut is None else self.shortcut(maps))
        return F.max_pool2d(out, (1, 3)) if self.pooled else cast(Tensor, out)


def residual_encoder(width: int, *, pooled: bool) -> nn.Sequential:
    """The six blocks that both AASIST and XLS-R + AASIST have.

    Args:
        width: channels of the last four blocks.
        pooled: shorten time by three in every block, as AASIST on raw sound does.
    """
    sizes = [(1, 32), (32, 32), (32, width), (width, width), (width, width), (width, width)]
    return nn.Sequential(*(ResidualBlock(n_in, n_out, pooled=pooled) for n_in, n_out in sizes))


def fake_score(logits: Tensor) -> Tensor:
    """Official logits (B, 2) to (B,) scores of our direction: higher = more fake."""
    check_shape(logits, "B 2", "logits")
    return logits[:, _SPOOF] - logits[:, _BONA_FIDE]


def _sinc_filters() -> Tensor:
    """(70, 1, 129) Hamming-windowed band-passes between mel-spaced edges, 0 to 8 kHz, fixed."""
    top_mel = 2595 * np.log10(1 + SAMPLE_RATE_HZ / 2 / 700)
    edges_hz = 700 * (10 ** (np.linspace(0, top_mel, _N_FILTERS + 1) / 2595) - 1)
    taps = np.arange(_N_TAPS) - (_N_TAPS - 1) / 2
    low_passes = np.stack([_low_pass(edge, taps) for edge in edges_hz])
    band_passes = (np.diff(low_passes, axis=0) * np.hamming(_N_TAPS)).astype(np.float32)
    return torch.from_numpy(band_passes)[:, None]


def _low_pass(cutoff_hz: float, taps: NDArray[np.floating]) -> NDArray[np.float64]:
    share = 2 * cutoff_hz / SAMPLE_RATE_HZ
    return np.asarray(share * np.sinc(share * taps))
