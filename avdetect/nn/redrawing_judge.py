"""A linear judge of a voice, on how a copy drawn by a vocoder differs from it.

A few hundred recordings teach so plain a judge more surely than a network.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from avdetect.nn.istft_vocoder import IstftDrawer

MOST_DEVIATIONS = 4.0  # a number farther out says no more than one there


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSettings:
    """Shape of `RedrawingJudge`; see `IstftDrawer` for the vocoder's numbers.

    Attributes:
        n_numbers: that compare speech with its copy, `avdetect.speech.redrawn.N_REDRAWN`.
    """

    n_numbers: int
    n_fft: int
    hop: int
    n_mels: int
    width: int
    n_blocks: int


class RedrawingJudge(nn.Module):
    """Linear log-odds of an observation's numbers.

    A telephone takes away the upper half of the spectrum, and with it much of what a vocoder
    leaves: each class of bandwidth has a linear model of its own, and a scale and offset by which a
    score says the same in both. Row 0 of every weight is for wide sound, row 1 for narrow.
    """

    centre: Tensor
    spread: Tensor
    scale: Tensor
    offset: Tensor

    def __init__(self, settings: JudgeSettings) -> None:
        super().__init__()
        s = self.settings = settings
        self.vocoder = IstftDrawer(s.n_fft, s.hop, s.n_mels, s.width, s.n_blocks)
        self.linear = nn.Linear(s.n_numbers, 2)
        self.register_buffer("centre", torch.zeros(2, s.n_numbers))
        self.register_buffer("spread", torch.ones(2, s.n_numbers))
        self.register_buffer("scale", torch.ones(2))
        self.register_buffer("offset", torch.zeros(2))

    def table(self) -> dict[str, int | float]:
        """What a checkpoint's config must say to build the same shape again."""
        return asdict(self.settings)

    def forward(self, numbers: Tensor, narrow: Tensor) -> Tensor:
        """Judge.

        Args:
            numbers: (B, N) how speech differs from its copy.
            narrow: (B,) 1 where the sound has a telephone's bandwidth, else 0.

        Returns:
            (B,) log-odds, levelled by bandwidth, higher = more fake.
        """
        band = narrow.long()
        standard = (numbers - self.centre[band]) / self.spread[band]
        standard = standard.clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS)
        log_odds = (standard * self.linear.weight[band]).sum(1) + self.linear.bias[band]
        return log_odds * self.scale[band] + self.offset[band]
