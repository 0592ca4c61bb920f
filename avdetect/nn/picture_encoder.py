"""Any picture of log band power over time to one frame of features per 50 ms step."""

from __future__ import annotations

import math
from typing import cast

from torch import Tensor, nn

from avdetect.nn.pooling import weighted_statistics
from avdetect.nn.residual import Residual2d, conv_unit
from avdetect.nn.shapes import check_shape

_CHANNELS = (16, 24, 40, 56)
_SPREAD = 3.0  # of log power about a band's mean, roughly; brings it to unit scale


class PictureEncoder(nn.Module):
    """A small residual network that loses each band's mean first: a line's colour is no forgery.

    Args:
        n_bands: height of the picture, a multiple of 16.
        width: features of a frame.
        time_strides: of the four stages; their product is how many columns make a step.
    """

    n_statistics = 0

    def __init__(self, n_bands: int, width: int, time_strides: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.n_bands = n_bands
        self.width = width
        self.columns_per_step = math.prod(time_strides)
        first, *later = time_strides
        self.stages = nn.Sequential(
            nn.Conv2d(
                1,
                _CHANNELS[0],
                (3, _reach(first)),
                stride=(2, first),
                padding=(1, _reach(first) // 2),
                bias=False,
            ),
            nn.BatchNorm2d(_CHANNELS[0]),
            nn.ReLU(),
            *(
                Residual2d(_CHANNELS[k], _CHANNELS[k + 1], (2, stride), reach=_reach(stride))
                for k, stride in enumerate(later)
            ),
        )
        self.out = conv_unit(_CHANNELS[-1] * (n_bands // 16), width, 1, 1)

    def forward(self, picture: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
        """Encode.

        Args:
            picture: (B, n_bands, columns_per_step T) natural log of band power.
            speech: (B, T) share of each step that is speech.

        Returns:
            Frames (B, width, T) and statistics (B, 0).
        """
        n_clips, n_steps = speech.shape
        n_columns = self.columns_per_step * n_steps
        check_shape(picture, f"{n_clips} {self.n_bands} {n_columns}", "picture")
        weights = speech.repeat_interleave(self.columns_per_step, 1)
        mean, _ = weighted_statistics(picture, weights)
        maps = self.stages((picture - mean[..., None])[:, None] / _SPREAD)
        frames = cast(Tensor, self.out(maps.flatten(1, 2)))
        return frames, frames.new_zeros(n_clips, 0)


def _reach(stride: int) -> int:
    """Taps over time that see past a stride on both sides."""
    return stride // 2 * 2 + 3
