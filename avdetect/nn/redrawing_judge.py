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
    """Linear log-odds of an observation's numbers, for sound as recorded and for coded sound.

    A codec changes how speech differs from its copy as much as a forgery does. So three linear
    models read the numbers: one knows forgeries in sound as it was recorded, one in sound that came
    through codecs and lines, and one tells how sure it is that the sound did. Each has a scale and
    offset of its own, the second one for wide and one for telephone bandwidth, by which a score
    says the same everywhere.

    A linear model says the more, the farther a sound lies from everything it learned from. So what
    is said is drawn to nothing as the numbers leave the usual.
    """

    centre: Tensor
    spread: Tensor
    usual: Tensor
    scale: Tensor
    offset: Tensor

    def __init__(self, settings: JudgeSettings) -> None:
        super().__init__()
        s = self.settings = settings
        self.vocoder = IstftDrawer(s.n_fft, s.hop, s.n_mels, s.width, s.n_blocks)
        self.linear = nn.Linear(s.n_numbers, 3)  # as recorded, coded, which of the two
        self.register_buffer("centre", torch.zeros(3, s.n_numbers))
        self.register_buffer("spread", torch.ones(3, s.n_numbers))
        # Mean square deviation of the numbers, by model, beyond which less is said.
        self.register_buffer("usual", torch.full((3,), torch.inf))
        self.register_buffer("scale", torch.ones(3))  # as recorded; coded wide; coded narrow
        self.register_buffer("offset", torch.zeros(3))

    def table(self) -> dict[str, int | float]:
        """What a checkpoint's config must say to build the same shape again."""
        return asdict(self.settings)

    def forward(self, numbers: Tensor, narrow: Tensor) -> Tensor:
        """Judge.

        Args:
            numbers: (B, N) how speech differs from its copy.
            narrow: (B,) 1 where the sound has a telephone's bandwidth, else 0.

        Returns:
            (B,) log-odds, levelled, higher = more fake.
        """
        return self.mixed(self.raw(numbers), narrow)

    def raw(self, numbers: Tensor) -> Tensor:
        """(B, N) to (B, 3): what the three models say."""
        standard = (numbers[:, None] - self.centre) / self.spread
        standard = standard.clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS)
        said = (standard * self.linear.weight).sum(2) + self.linear.bias
        return said * (self.usual / standard.square().mean(2)).clamp(max=1.0).square()

    def mixed(self, raw: Tensor, narrow: Tensor) -> Tensor:
        """(B, 3) of `raw` and (B,) narrow to (B,) levelled log-odds."""
        recorded = raw[:, 0] * self.scale[0] + self.offset[0]
        line = 1 + narrow.long()
        coded = raw[:, 1] * self.scale[line] + self.offset[line]
        return torch.lerp(recorded, coded, raw[:, 2].sigmoid())
