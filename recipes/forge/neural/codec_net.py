"""A codec of strided convolutions and residual codebooks, from samples to tokens and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from recipes.forge.neural.quantiser import ResidualQuantiser
from recipes.forge.neural.upsampling_net import enlarging
from recipes.forge.neural.vocoder import Copy, Vocoder, pad_to_multiple


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecSettings:
    """Shape of a `CodecVocoder`.

    Attributes:
        width: features at full rate; doubled by every stage, up to ``most_width``.
        most_width: widest stage.
        strides: of the encoder's stages; the decoder has them in reverse.
        code_width: features of a token.
        n_quantisers: codebooks.
        n_codes: entries of a codebook.
        enlarge: how the decoder makes frames into more of them.
    """

    width: int
    most_width: int
    strides: Sequence[int]
    code_width: int
    n_quantisers: int
    n_codes: int
    enlarge: Literal["transposed", "nearest"] = "transposed"


class CodecVocoder(Vocoder):
    """The convolutional half of SoundStream (Zeghidour et al. 2021) and EnCodec.

    EnCodec (Défossez et al. 2022) is what Bark and VALL-E speak through: their speech carries the
    artefacts of its tokens and of its decoder.
    """

    def __init__(self, settings: CodecSettings) -> None:
        super().__init__()
        s = self.settings = settings
        widths = [min(s.width << stage, s.most_width) for stage in range(len(s.strides) + 1)]
        stages = list(zip(widths, widths[1:], s.strides, strict=False))
        self.encode = nn.Sequential(
            nn.Conv1d(1, widths[0], 7, padding=3),
            *(layer for a, b, stride in stages for layer in _shrinking(a, b, stride)),
            nn.ELU(),
            nn.Conv1d(widths[-1], s.code_width, 3, padding=1),
        )
        self.quantiser = ResidualQuantiser(s.n_quantisers, s.n_codes, s.code_width)
        self.decode = nn.Sequential(
            nn.Conv1d(s.code_width, widths[-1], 7, padding=3),
            *(
                layer
                for a, b, stride in reversed(stages)
                for layer in (
                    nn.ELU(),
                    *enlarging(b, a, stride, s.enlarge),
                    ResidualUnit(a, 1),
                    ResidualUnit(a, 3),
                )
            ),
            nn.ELU(),
            nn.Conv1d(widths[0], 1, 7, padding=3),
        )

    def forward(self, waveform: Tensor, n_quantisers: int = 0) -> Copy:
        """See `Vocoder.forward`."""
        padded = pad_to_multiple(waveform, math.prod(self.settings.strides))
        # Speech has a root mean square far below one; networks like it near one.
        latent = self.encode(5.0 * padded[:, None])
        quantised, penalty = self.quantiser(latent, n_quantisers)
        drawn = 0.2 * self.decode(quantised).float()
        return Copy(drawn[:, 0, : waveform.shape[1]], penalty)


class ResidualUnit(nn.Module):
    """A dilated and a point-wise convolution around half the width; (B, D, T) to the same."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ELU(),
            nn.Conv1d(width, width // 2, 3, dilation=dilation, padding=dilation),
            nn.ELU(),
            nn.Conv1d(width // 2, width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Refine."""
        refined: Tensor = x + self.layers(x)
        return refined


class _Shrink(nn.Module):
    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.margin = (stride // 2, stride - stride // 2)
        self.convolution = nn.Conv1d(width_in, width, 2 * stride, stride)

    def forward(self, x: Tensor) -> Tensor:
        shrunk: Tensor = self.convolution(F.pad(x, self.margin))
        return shrunk


def _shrinking(width_in: int, width: int, stride: int) -> list[nn.Module]:
    return [ResidualUnit(width_in, 1), nn.ELU(), _Shrink(width_in, width, stride)]
