"""Small residual convolutions over time and over pictures, that the voice encoders consist of."""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn


def conv_unit(n_in: int, n_out: int, kernel: int, stride: int) -> nn.Sequential:
    """Convolution over time, norm, ReLU; (B, n_in, T) to (B, n_out, T / stride)."""
    return nn.Sequential(
        nn.Conv1d(n_in, n_out, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm1d(n_out),
        nn.ReLU(),
    )


class Residual1d(nn.Module):
    """One dilated convolution around a shortcut; (B, width, T) to the same."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, x: Tensor) -> Tensor:
        """Add what the convolution finds."""
        return F.relu(x + self.norm(self.conv(x)))


class Residual2d(nn.Module):
    """Two convolutions around a shortcut; (B, n_in, F, T) to (B, n_out, F / stride, T / stride).

    Args:
        n_in: features of the picture.
        n_out: features of the result.
        stride: over bands and over time.
        reach: taps of the first convolution over time, odd; at least the stride, or it skips.
    """

    def __init__(self, n_in: int, n_out: int, stride: tuple[int, int], reach: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(
            n_in, n_out, (3, reach), stride=stride, padding=(1, reach // 2), bias=False
        )
        self.norm1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(n_out)
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(stride, ceil_mode=True),
            nn.Conv2d(n_in, n_out, 1, bias=False),
            nn.BatchNorm2d(n_out),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Add what the convolutions find."""
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(y + cast(Tensor, self.shortcut(x)))
