"""How far a forgery map marks one place against the rest of its own picture.

A channel that the network hardly met (a poor recording, enlarged twice) raises the whole map, and
with it the network's score; a forgery of part of a face raises one part of it. The weights over
the map sum to zero, so that the picture is its own reference: what shifts all log-odds alike says
nothing. Of a picture that is drawn anew as a whole it can say nothing either.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from avdetect.nn.image_encoder import VIEW_CELLS
from avdetect.nn.shapes import check_shape

HALF_CELLS = VIEW_CELLS // 2
_MOST_LOG_ODDS = 6.0  # a cell surer than this is no more of a witness


class MapContrast(nn.Module):
    """A linear reading of a mirrored map, blind to its mean.

    Still pictures are judged by the network's own score, which is brought to the scale of this
    reading: one calibration then serves both.
    """

    still_level: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("still_level", torch.tensor([1.0, 0.0]))  # factor, then what is added
        self.weight = nn.Parameter(torch.zeros(VIEW_CELLS, HALF_CELLS))
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, mask_logits: Tensor) -> Tensor:
        """Log-odds that something within the picture is forged.

        Args:
            mask_logits: (B, 22, 22) of `avdetect.nn.image_encoder.FaceForgery`.

        Returns:
            (B,) higher = more fake.

        Raises:
            ShapeError: on any other shape.
        """
        weight = self.weight - self.weight.mean()
        return (contrast_cells(mask_logits) * weight).sum((1, 2)) + self.bias

    def of_still(self, score: Tensor) -> Tensor:
        """(B,) scores of whole pictures, on the scale of what is read of maps."""
        return score * self.still_level[0] + self.still_level[1]


def contrast_cells(mask_logits: Tensor) -> Tensor:
    """(B, 22, 22) maps to the (B, 22, 11) that are read: bounded, both halves of the face one."""
    check_shape(mask_logits, f"B {VIEW_CELLS} {VIEW_CELLS}", "mask_logits")
    bounded = mask_logits.float().clamp(-_MOST_LOG_ODDS, _MOST_LOG_ODDS)
    return ((bounded + bounded.flip(2)) / 2.0)[:, :, :HALF_CELLS]
