"""Mel frames enlarged to samples step by step, the way of GAN vocoders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avdetect.nn.istft_vocoder import LogMel, pad_to_multiple
from recipes.forge.neural.source import HarmonicSource
from recipes.forge.neural.vocoder import Copy, Vocoder

_SLOPE = 0.1
_DILATIONS = (1, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsamplingSettings:
    """Shape of an `UpsamplingVocoder`.

    Attributes:
        n_fft: of the mel analysis.
        n_mels: bands of the input.
        width: features at frame rate; halved by every stage.
        strides: of the stages; with ``transform`` / 4 behind them they multiply to the hop.
        enlarge: ``transposed`` convolution (HiFi-GAN) or ``nearest`` neighbour and convolution.
        activation: ``leaky`` or ``snake`` (BigVGAN).
        kernels: of the residual blocks of a stage, whose outputs are averaged.
        transform: size of a final inverse STFT with a hop of a quarter of it (iSTFTNet); 0: none.
        n_harmonics: of a pitch source fed into every stage (neural source-filter); 0: none.
    """

    n_fft: int
    n_mels: int
    width: int
    strides: Sequence[int]
    enlarge: Literal["transposed", "nearest"] = "transposed"
    activation: Literal["leaky", "snake"] = "leaky"
    kernels: Sequence[int] = (3, 7)
    transform: int = 0
    n_harmonics: int = 0

    @property
    def hop(self) -> int:
        """Samples between two mel frames."""
        return math.prod(self.strides) * (self.transform // 4 or 1)


class UpsamplingVocoder(Vocoder):
    """HiFi-GAN's generator (Kong et al. 2020) and its kin, by `UpsamplingSettings`.

    Kin are BigVGAN (Lee et al. 2023), iSTFTNet (Kaneko et al. 2022) and the source-filter HiFi-GAN
    of singing and voice conversion.
    """

    def __init__(self, settings: UpsamplingSettings) -> None:
        super().__init__()
        s = self.settings = settings
        self.mel = LogMel(s.n_fft, s.hop, s.n_mels)
        self.enter = nn.Conv1d(s.n_mels, s.width, 7, padding=3)
        widths = [s.width >> stage for stage in range(len(s.strides) + 1)]
        self.stages = nn.ModuleList(
            Stage(widths[stage], s, stage) for stage in range(len(s.strides))
        )
        self.source = HarmonicSource(s.hop, s.n_harmonics) if s.n_harmonics else None
        self.last = activation(widths[-1], s.activation)
        self.leave = nn.Conv1d(widths[-1], s.transform + 2 if s.transform else 1, 7, padding=3)

    def forward(self, waveform: Tensor, n_quantisers: int = 0) -> Copy:
        """See `Vocoder.forward`."""
        padded = pad_to_multiple(waveform, self.settings.hop)
        source = self.source(padded) if self.source is not None else None
        x = self.enter(self.mel(padded))
        for stage in self.stages:
            x = stage(x, source)
        x = self.leave(self.last(x)).float()
        drawn = self._transform(x) if self.settings.transform else torch.tanh(x[:, 0])
        return Copy(drawn[:, : waveform.shape[1]], waveform.new_zeros(()))

    def _transform(self, x: Tensor) -> Tensor:
        size = self.settings.transform
        log_magnitude, phase = F.pad(x, (0, 1), mode="replicate").chunk(2, dim=1)
        magnitude = log_magnitude.clamp(max=3.0).exp()
        spectrum = torch.complex(magnitude * phase.cos(), magnitude * phase.sin())
        n_samples = x.shape[2] * size // 4
        return torch.istft(
            spectrum, size, size // 4, window=torch.hann_window(size), length=n_samples
        )


class Stage(nn.Module):
    """One enlarging step, the source at its rate, and residual blocks of several kernels."""

    def __init__(self, width_in: int, settings: UpsamplingSettings, index: int) -> None:
        super().__init__()
        s, width = settings, width_in // 2
        self.enlarge = nn.Sequential(
            activation(width_in, s.activation),
            *enlarging(width_in, width, s.strides[index], s.enlarge),
        )
        step = s.hop // math.prod(s.strides[: index + 1])  # samples of source to one of this stage
        self.inject = (
            nn.Conv1d(s.n_harmonics + 1, width, 2 * step + 1, step, step) if s.n_harmonics else None
        )
        self.blocks = nn.ModuleList(
            ResidualBlock(width, kernel, s.activation) for kernel in s.kernels
        )

    def forward(self, x: Tensor, source: Tensor | None) -> Tensor:
        """(B, D, T) and (B, H + 1, S) or None to (B, D / 2, stride T)."""
        x = self.enlarge(x)
        if self.inject is not None:
            x = x + self.inject(source)[:, :, : x.shape[2]]
        return torch.stack([block(x) for block in self.blocks]).mean(0)


class ResidualBlock(nn.Module):
    """Dilated convolutions, each added to its input; (B, D, T) to the same."""

    def __init__(self, width: int, kernel: int, kind: Literal["leaky", "snake"]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                activation(width, kind),
                nn.Conv1d(width, width, kernel, dilation=d, padding=d * (kernel // 2)),
            )
            for d in _DILATIONS
        )

    def forward(self, x: Tensor) -> Tensor:
        """Refine."""
        for layer in self.layers:
            x = x + layer(x)
        return x


class Snake(nn.Module):
    """x + sin²(a x) / a with a learned a per channel (Ziyin et al. 2020)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.rate = nn.Parameter(torch.ones(width, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, D, T) to the same."""
        return x + torch.sin(self.rate * x).square() / (self.rate + 1e-6)


def activation(width: int, kind: Literal["leaky", "snake"]) -> nn.Module:
    """A non-linearity by name."""
    return Snake(width) if kind == "snake" else nn.LeakyReLU(_SLOPE)


def enlarging(
    width_in: int, width: int, stride: int, kind: Literal["transposed", "nearest"]
) -> list[nn.Module]:
    """Layers that make (B, width_in, T) into (B, width, stride T), on the same clock."""
    if kind == "nearest":
        kernel = 2 * (stride // 2) + 3
        convolution = nn.Conv1d(width_in, width, kernel, padding=kernel // 2)
        return [nn.Upsample(scale_factor=stride), convolution]
    spare = stride % 2
    return [nn.ConvTranspose1d(width_in, width, 2 * stride, stride, (stride + spare) // 2, spare)]
