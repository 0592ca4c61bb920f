"""JPEG as a layer that gradients pass: what a shield must survive, while it is being made.

Colour conversion, 4:2:0, block DCT and quantisation as in ITU-T T.81 with the tables of its annex
K, scaled by quality as libjpeg does. Rounding passes gradients straight through (Bengio et al.
2013; for JPEG Shin & Song 2017). Entropy coding loses nothing and is left out.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avdetect.nn.shapes import check_shape

_LUMA_TABLE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA_TABLE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
)
_TO_YCC = (
    (0.299, 0.587, 0.114),
    (-0.168736, -0.331264, 0.5),
    (0.5, -0.418688, -0.081312),
)  # JFIF 1.02
_BLOCK = 8
_UNIT = 2 * _BLOCK  # of a picture with halved colour


class SoftJpeg(nn.Module):
    """(B, 3, H, W) RGB in [0, 1] through JPEG, same size."""

    basis: Tensor
    tables: Tensor
    to_ycc: Tensor

    def __init__(self) -> None:
        super().__init__()
        k, x = torch.arange(8.0)[:, None], torch.arange(8.0)[None]
        cosines = torch.cos((2 * x + 1) * k * math.pi / 16) * 0.5
        cosines[0] /= math.sqrt(2.0)
        basis = torch.einsum("ux,vy->uvxy", cosines, cosines).reshape(64, 1, 8, 8)
        self.register_buffer("basis", basis, persistent=False)
        tables = torch.tensor([_LUMA_TABLE, _CHROMA_TABLE], dtype=torch.float32)
        self.register_buffer("tables", tables.reshape(2, 64), persistent=False)
        self.register_buffer("to_ycc", torch.tensor(_TO_YCC), persistent=False)

    def forward(self, pictures: Tensor, quality: int) -> Tensor:
        """Code and decode.

        Args:
            pictures: (B, 3, H, W) in [0, 1]; sides need not be multiples of 16.
            quality: 1..100, as libjpeg counts.

        Raises:
            ShapeError: on any other shape.
        """
        check_shape(pictures, "B 3 H W", "pictures")
        height, width = pictures.shape[2:]
        margin = (0, -width % _UNIT, 0, -height % _UNIT)
        padded = F.pad(pictures, margin, mode="replicate") * 255.0
        ycc = torch.einsum("ij,bjhw->bihw", self.to_ycc, padded)
        luma = self._quantised(ycc[:, :1] - 128.0, self._table(0, quality)) + 128.0
        halved = F.avg_pool2d(ycc[:, 1:], 2)
        colour = self._quantised(halved.flatten(0, 1)[:, None], self._table(1, quality))
        colour = F.interpolate(colour, scale_factor=2.0, mode="bilinear", align_corners=False)
        decoded = torch.cat([luma, colour.reshape(len(pictures), 2, *luma.shape[2:])], 1)
        rgb = torch.einsum("ij,bjhw->bihw", torch.linalg.inv(self.to_ycc), decoded)
        return (rgb[..., :height, :width] / 255.0).clamp(0.0, 1.0)

    def _table(self, which: int, quality: int) -> Tensor:
        scale = 5000.0 / quality if quality < 50 else 200.0 - 2.0 * quality
        return ((self.tables[which] * scale + 50.0) / 100.0).floor().clamp(1.0, 255.0)

    def _quantised(self, plane: Tensor, table: Tensor) -> Tensor:
        steps = table.view(1, 64, 1, 1)
        levels = F.conv2d(plane, self.basis, stride=_BLOCK) / steps
        rounded = levels + (levels.round() - levels).detach()
        return F.conv_transpose2d(rounded * steps, self.basis, stride=_BLOCK)
