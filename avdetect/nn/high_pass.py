"""High-pass views of a picture: what a camera's noise and a blend's edge look like without content.

A fixed bank of three rich-model residuals (SRM, Fridrich & Kodovsky 2012, as used on forged
pictures by Zhou et al. 2018) and a learned one whose kernels are held to be prediction errors
(Bayar & Stamm 2016).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_SQUARE_3 = [[-1, 2, -1], [2, -4, 2], [-1, 2, -1]]
_SQUARE_5 = [
    [-1, 2, -2, 2, -1],
    [2, -6, 8, -6, 2],
    [-2, 8, -12, 8, -2],
    [2, -6, 8, -6, 2],
    [-1, 2, -2, 2, -1],
]
_LINE_3 = [[0, 0, 0], [1, -2, 1], [0, 0, 0]]
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_CUT = 12.0 / 255.0  # residuals beyond this are content edges; cut so that they do not drown noise


class HighPass(nn.Module):
    """RGB in [0, 1] to ``n_fixed + n_learned`` residual channels of the same size."""

    n_fixed = 3

    def __init__(self, n_learned: int = 3) -> None:
        super().__init__()
        self.n_channels = self.n_fixed + n_learned
        self.register_buffer("bank", _srm_bank(), persistent=False)
        self.register_buffer("luma", torch.tensor(_LUMA).view(1, 3, 1, 1), persistent=False)
        self.kernels = nn.Parameter(torch.rand(n_learned, 3, 5, 5))

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) float32 in [0, 1] to (B, n_channels, H, W), about unit scale."""
        # Half precision would round away the very noise that is looked for.
        with torch.autocast(picture.device.type, enabled=False):
            return self._residuals(picture)

    def _residuals(self, picture: Tensor) -> Tensor:
        assert isinstance(self.bank, Tensor)
        assert isinstance(self.luma, Tensor)
        kernels = torch.cat([self.bank * self.luma, self._prediction_errors()])
        # With the colours of a pixel side by side in memory this would take thrice as long.
        padded = F.pad(picture.contiguous(), (2, 2, 2, 2), mode="reflect")
        return F.conv2d(padded, kernels).clamp(-_CUT, _CUT) * (2.0 / _CUT)

    def _prediction_errors(self) -> Tensor:
        """Neighbours sum to one, the centre is minus one: flat areas give exactly nothing."""
        n_learned = self.kernels.shape[0]
        others = torch.ones(25, device=self.kernels.device)
        others[12] = 0.0
        weights = self.kernels.reshape(n_learned, 3, 25).abs() * others
        weights = weights / weights.sum(-1, keepdim=True).clamp_min(1e-6)
        return (weights - (1.0 - others)).reshape(n_learned, 3, 5, 5)


def _srm_bank() -> Tensor:
    bank = torch.zeros(3, 1, 5, 5)
    bank[0, 0, 1:4, 1:4] = torch.tensor(_SQUARE_3) / 4.0
    bank[1, 0] = torch.tensor(_SQUARE_5) / 12.0
    bank[2, 0, 1:4, 1:4] = torch.tensor(_LINE_3) / 2.0
    return bank
