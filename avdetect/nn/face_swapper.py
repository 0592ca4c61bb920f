"""A one-shot face-swap auto-encoder: an encoder of how a face is held, a decoder told whose it is.

A shared encoder keeps pose, light and expression in a narrow code; the decoder draws that code with
the identity vector of another picture, as swappers do that need one photograph of their victim
(SimSwap, Chen et al. 2020). Sizes are small: it stands for the swappers that a picture is shielded
from, and swaps nothing that anybody would believe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avdetect.nn.shapes import check_shape

SIDE_PX = 64
_BOTTOM_PX = SIDE_PX // 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapperConfig:
    """Sizes of a `FaceSwapper`.

    Attributes:
        widths: channels at strides 2, 4, 8 and 16.
        code: width of what is kept of the target.
        identity: length of the identity vector.
    """

    widths: tuple[int, int, int, int] = (16, 32, 64, 64)
    code: int = 32
    identity: int = 96


class FaceSwapper(nn.Module):
    """Target faces and identity vectors to swapped faces."""

    def __init__(self, config: SwapperConfig) -> None:
        super().__init__()
        w = config.widths
        n_bottom = w[3] * _BOTTOM_PX**2
        self.encoder = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(a, b, 4, 2, 1), nn.LeakyReLU(0.1))
                for a, b in zip((3, *w[:-1]), w, strict=True)
            ),
            nn.Flatten(),
            nn.Linear(n_bottom, config.code),
        )
        self.spread = nn.Linear(config.code + config.identity, n_bottom)
        self.styles = nn.ModuleList(nn.Linear(config.identity, 2 * b) for b in (w[3], *w[2::-1]))
        self.mix = nn.Conv2d(w[3], w[3], 3, 1, 1)
        self.enlarge = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, 4 * b, 3, 1, 1), nn.PixelShuffle(2))
            for a, b in zip((w[3], *w[2:0:-1]), w[2::-1], strict=True)
        )
        self.colour = nn.Sequential(nn.Conv2d(w[0], 12, 3, 1, 1), nn.PixelShuffle(2))
        self._bottom = (w[3], _BOTTOM_PX, _BOTTOM_PX)

    def forward(self, targets: Tensor, identities: Tensor) -> Tensor:
        """Draw the target with another's face.

        Args:
            targets: (B, 3, 64, 64) RGB in [0, 1]: whose pose, light and expression.
            identities: (B, D) vectors of an `IdentityEncoder`: whose face.

        Returns:
            (B, 3, 64, 64) in [0, 1].

        Raises:
            ShapeError: on any other shape.
        """
        check_shape(targets, f"B 3 {SIDE_PX} {SIDE_PX}", "targets")
        code = self.encoder((targets - 0.5) * 4.0)
        scaled = identities * identities.shape[1] ** 0.5  # from unit length to unit variance
        drawn = self.spread(torch.cat([code, scaled], 1)).unflatten(1, self._bottom)
        drawn = self._styled(self.mix(drawn), scaled, 0)
        for number, step in enumerate(self.enlarge, 1):
            drawn = self._styled(step(drawn), scaled, number)
        return cast(Tensor, self.colour(drawn)).sigmoid()

    def _styled(self, drawn: Tensor, identities: Tensor, number: int) -> Tensor:
        """Scaled and shifted channel by channel as the identity says (FiLM, Perez et al. 2018)."""
        scale, shift = self.styles[number](identities)[..., None, None].chunk(2, 1)
        return F.leaky_relu(drawn * (1.0 + 0.3 * scale) + 0.3 * shift, 0.1)
