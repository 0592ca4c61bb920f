"""Who is seen, as a vector: what one-shot face swappers take from a picture of their victim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from avdetect.nn.shapes import check_shape

_HALVINGS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityConfig:
    """Sizes of an `IdentityEncoder`; one table of a shield's ``[config]``.

    Attributes:
        side_px: side of the square face it reads, a multiple of 16.
        widths: channels at strides 2, 4, 8 and 16.
        width: length of the vector.
    """

    side_px: int = 64
    widths: tuple[int, int, int, int] = (16, 32, 64, 128)
    width: int = 96

    @staticmethod
    def from_table(table: Mapping[str, Any]) -> IdentityConfig:
        """Read a table of a card; TOML knows lists only."""
        return IdentityConfig(**{**table, "widths": tuple(table["widths"])})


class IdentityEncoder(nn.Module):
    """Faces to unit vectors whose cosine says how alike two faces are."""

    def __init__(self, config: IdentityConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        n_in = 3
        for number, n_out in enumerate(config.widths):
            layers.append(_unit(n_in, n_out, 2))
            if number < _HALVINGS - 1:
                layers.append(_unit(n_out, n_out, 1))
            n_in = n_out
        self.stages = nn.Sequential(*layers)
        self.out = nn.Linear(n_in * (config.side_px >> _HALVINGS) ** 2, config.width)

    def forward(self, faces: Tensor) -> Tensor:
        """(B, 3, S, S) RGB in [0, 1] to (B, width) of length 1.

        Raises:
            ShapeError: on any other shape.
        """
        side = self.config.side_px
        check_shape(faces, f"B 3 {side} {side}", "faces")
        mean = faces.mean((2, 3), keepdim=True)  # light and white balance say nothing of a person
        return F.normalize(self.out(self.stages((faces - mean) * 4.0).flatten(1)))


def _unit(n_in: int, n_out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()
    )
