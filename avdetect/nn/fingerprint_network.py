"""Estimates what a generator left on its pictures, and recognises it: fully learned tracing.

A fingerprint estimation network (Asnani, Yin, Hassner & Liu, "Reverse engineering of generative
models", 2021) gives every block of a picture a residual of the same size; training holds it to be
faint, high in frequency, repetitive and symmetric in its spectrum. Two small encoders, one of the
fingerprint itself and one of its spectrum, make an embedding that is compared by cosine with one
direction per known source (implicit fingerprints: Yu, Davis & Fritz 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avdetect.nn.shapes import check_shape

BLOCK_PX = 64
_CONTENT_CUT = 0.08  # of full scale: what is stronger is an edge of the picture, no trace
_LEAST_POWER = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class FingerprintConfig:
    """Sizes of a `FingerprintTracer`.

    Attributes:
        width: feature maps of the estimation network.
        depth: its inner convolutions.
        embedding: numbers of the embedding.
        n_sources: known sources.
        cosine_scale: logits are this times the cosine.
    """

    width: int = 16
    depth: int = 4
    embedding: int = 64
    n_sources: int = 9
    cosine_scale: float = 16.0


def read_fingerprint_config(table: dict[str, Any]) -> FingerprintConfig:
    """From a card's ``[config]``; raises ``TypeError`` on a key that is not known."""
    return FingerprintConfig(**table)


class FingerprintNet(nn.Module):
    """Blocks of a picture to their fingerprints."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.ReLU()]
        for _ in range(depth):
            layers += [
                nn.Conv2d(width, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
        self.body = nn.Sequential(*layers, nn.Conv2d(width, 3, 3, padding=1))

    def forward(self, blocks: Tensor) -> Tensor:
        """(B, 3, H, W) float32 RGB in [0, 1] to (B, 3, H, W) float32, about unit scale at first."""
        check_shape(blocks, "B 3 H W", "blocks")
        detail: Tensor = without_content(blocks)
        fingerprint: Tensor = self.body(detail)
        return fingerprint


class FingerprintTracer(nn.Module):
    """Fingerprint, embedding and cosines to the known sources."""

    def __init__(self, config: FingerprintConfig) -> None:
        super().__init__()
        self.config = config
        self.fingerprint = FingerprintNet(config.width, config.depth)
        self.texture = nn.Sequential(_down(3, 24), _down(24, 40), _down(40, 56), _Mean())
        self.spectrum = nn.Sequential(_down(3, 16), _down(16, 24), _down(24, 24), nn.Flatten())
        self.embed = nn.Linear(56 + 24 * 8 * 5, config.embedding)
        self.sources = nn.Parameter(torch.randn(config.n_sources, config.embedding))

    def forward(self, blocks: Tensor) -> tuple[Tensor, Tensor]:
        """Fingerprints and embeddings of blocks.

        Args:
            blocks: (B, 3, 64, 64) float32 RGB in [0, 1], on the picture's own pixel grid.

        Returns:
            (B, 3, 64, 64) fingerprints and (B, ``embedding``) embeddings of unit length.
        """
        check_shape(blocks, f"B 3 {BLOCK_PX} {BLOCK_PX}", "blocks")
        fingerprint = self.fingerprint(blocks)
        seen = torch.cat([self.texture(fingerprint), self.spectrum(log_spectrum(fingerprint))], 1)
        return fingerprint, F.normalize(self.embed(seen), dim=1)

    def cosines(self, embedding: Tensor) -> Tensor:
        """(B, ``embedding``) of unit length to (B, ``n_sources``) in [-1, 1]."""
        return embedding @ F.normalize(self.sources, dim=1).T


def without_content(blocks: Tensor) -> Tensor:
    """(B, 3, H, W) less their local means, cut and scaled to about unit range."""
    padded = F.pad(blocks, (2, 2, 2, 2), mode="reflect")
    return (blocks - F.avg_pool2d(padded, 5, 1)).clamp(-_CONTENT_CUT, _CONTENT_CUT) / _CONTENT_CUT


def log_spectrum(fingerprint: Tensor) -> Tensor:
    """(B, C, N, N) to (B, C, N, N // 2 + 1): log power of the 2-D DFT, rows from 0 upwards."""
    power: Tensor = torch.fft.rfft2(fingerprint, norm="ortho").abs().square()
    return (power + _LEAST_POWER).log()


class _Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))


def _down(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()
    )
