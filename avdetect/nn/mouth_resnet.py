"""Pictures of a mouth to features of every frame: a ResNet-18 over a convolution across time.

Stafylakis & Tzimiropoulos, "Combining residual networks with LSTMs for lipreading" (2017), with the
learnt slopes (PReLU) that AV-HuBERT's has (Shi et al. 2022).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from typing import cast

from torch import Tensor, nn

_BLOCKS = 2  # of each stage, as ResNet-18 has them


class MouthResNet(nn.Module):
    """Features of every frame, each from five.

    Args:
        widths: of the convolution across time, then of the four stages.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.width = widths[-1]
        self.first = nn.Sequential(
            nn.Conv3d(1, widths[0], (5, 7, 7), (1, 2, 2), (2, 3, 3), bias=False),
            nn.BatchNorm3d(widths[0]),
            nn.PReLU(widths[0]),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )
        self.trunk = nn.Sequential(
            OrderedDict(
                (f"layer{number}", _stage(n_in, n_out, stride=1 if number == 1 else 2))
                for number, (n_in, n_out) in enumerate(pairwise(widths), 1)
            )
        )

    def forward(self, mouths: Tensor) -> Tensor:
        """(B, T, H, W) pictures, normalised, to (B, T, ``width``)."""
        batch, frames = mouths.shape[:2]
        maps = cast(Tensor, self.first(mouths[:, None])).transpose(1, 2).flatten(0, 1)
        features: Tensor = self.trunk(maps).mean((2, 3))
        return features.reshape(batch, frames, self.width)


class _Block(nn.Module):
    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(n_out)
        self.prelu1 = nn.PReLU(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(n_out)
        self.prelu2 = nn.PReLU(n_out)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or n_in != n_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.prelu1(self.norm1(self.conv1(x)))
        return cast(Tensor, self.prelu2(self.norm2(self.conv2(y)) + self.shortcut(x)))


def _stage(n_in: int, n_out: int, stride: int) -> nn.Sequential:
    rest = [_Block(n_out, n_out, 1) for _ in range(_BLOCKS - 1)]
    return nn.Sequential(_Block(n_in, n_out, stride), *rest)
