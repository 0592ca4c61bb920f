"""Tokens of residual codebooks, decoded to samples by convolutions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from avdetect.nn.istft_vocoder import LogMel, pad_to_multiple
from recipes.forge.neural.quantiser import ResidualQuantiser
from recipes.forge.neural.upsampling_net import enlarging
from recipes.forge.neural.vocoder import Copy, Vocoder

_FRAMES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecSettings:
    """Shape of a `CodecVocoder`.

    Attributes:
        n_fft: of the mel analysis.
        n_mels: bands of the input.
        width: features at full rate; doubled by every stage towards tokens, up to ``most_width``.
        most_width: widest stage, and features of the encoder.
        strides: of the decoder's stages; they multiply to the samples of a token.
        code_width: features of a token.
        n_quantisers: codebooks.
        n_codes: entries of a codebook.
        enlarge: how the decoder makes frames into more of them.
    """

    n_fft: int
    n_mels: int
    width: int
    most_width: int
    strides: Sequence[int]
    code_width: int
    n_quantisers: int
    n_codes: int
    enlarge: Literal["transposed", "nearest"] = "transposed"


class CodecVocoder(Vocoder):
    """Tokens, and the decoder of SoundStream (Zeghidour et al. 2021) and EnCodec.

    EnCodec (Défossez et al. 2022) is what Bark and VALL-E speak through: their speech carries the
    artefacts of its tokens and of its decoder. The encoder leaves no trace but in the tokens, so it
    starts from mel frames here, which are learnt from many times faster than samples.
    """

    def __init__(self, settings: CodecSettings) -> None:
        super().__init__()
        s = self.settings = settings
        self.mel = LogMel(s.n_fft, math.prod(s.strides) // _FRAMES_PER_TOKEN, s.n_mels)
        self.encode = nn.Sequential(
            nn.Conv1d(s.n_mels, s.most_width, 7, padding=3),
            ResidualUnit(s.most_width, 1),
            ResidualUnit(s.most_width, 3),
            nn.ELU(),
            nn.Conv1d(s.most_width, s.most_width, _FRAMES_PER_TOKEN, _FRAMES_PER_TOKEN),
            nn.ELU(),
            nn.Conv1d(s.most_width, s.code_width, 3, padding=1),
        )
        self.quantiser = ResidualQuantiser(s.n_quantisers, s.n_codes, s.code_width)
        widths = [min(s.width << k, s.most_width) for k in range(len(s.strides), -1, -1)]
        self.decode = nn.Sequential(
            nn.Conv1d(s.code_width, widths[0], 7, padding=3),
            *(
                layer
                for (a, b), stride in zip(pairwise(widths), s.strides, strict=True)
                for layer in _enlarging_stage(a, b, stride, s.enlarge)
            ),
            nn.ELU(),
            nn.Conv1d(widths[-1], 1, 7, padding=3),
        )

    def forward(self, waveform: Tensor, n_quantisers: int = 0) -> Copy:
        """See `Vocoder.forward`."""
        padded = pad_to_multiple(waveform, math.prod(self.settings.strides))
        quantised, penalty = self.quantiser(self.encode(self.mel(padded)), n_quantisers)
        drawn = torch.tanh(self.decode(quantised).float())
        return Copy(drawn[:, 0, : waveform.shape[1]], penalty)


def _enlarging_stage(
    width_in: int, width: int, stride: int, kind: Literal["transposed", "nearest"]
) -> list[nn.Module]:
    layers = [nn.ELU(), *enlarging(width_in, width, stride, kind)]
    return [*layers, ResidualUnit(width, 1), ResidualUnit(width, 3)]


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
