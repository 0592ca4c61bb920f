"""Networks that tell originals from copies, so that copies do not end up blurred."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

_PERIODS = (2, 3, 5, 7, 11)
_RESOLUTIONS = (256, 512, 1024)
_SLOPE = 0.1


class Discriminators(nn.Module):
    """Multi-period (Kong et al. 2020, HiFi-GAN) and multi-resolution complex STFT judges.

    The second kind as in EnCodec (Défossez et al. 2022). Both are a tenth of their models' width:
    they need only be better than small vocoders.
    """

    def __init__(self) -> None:
        super().__init__()
        self.judges = nn.ModuleList(
            [*(PeriodJudge(p) for p in _PERIODS), *(SpectrumJudge(n) for n in _RESOLUTIONS)]
        )

    def forward(self, waveform: Tensor, turn: int) -> list[list[Tensor]]:
        """Feature maps of half of the judges on (B, S); the last map of each is its opinion.

        The even ones judge at even turns and the odd ones at odd turns, at half the cost.
        """
        judges = list(self.judges)[turn % 2 :: 2]
        return [judge(waveform) for judge in judges]


class PeriodJudge(nn.Module):
    """Every ``period``-th sample in one column, convolved along the columns."""

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = period
        widths = (1, 16, 32, 64, 64)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, (5, 1), (3 if b > a else 1, 1), (2, 0)))
            for a, b in pairwise(widths)
        )
        self.opinion = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, waveform: Tensor) -> list[Tensor]:
        """(B, S) to maps."""
        padded = F.pad(waveform[:, None], (0, -waveform.shape[1] % self.period), mode="reflect")
        x, maps = padded.view(len(waveform), 1, -1, self.period), []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), _SLOPE)
            maps.append(x)
        return [*maps, self.opinion(x)]


class SpectrumJudge(nn.Module):
    """Real and imaginary parts under a square-root law, convolved over time and frequency."""

    window: Tensor

    def __init__(self, n_fft: int) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        widths = (2, 16, 16, 24, 24)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, (3, 5), (1, 2), (1, 2))) for a, b in pairwise(widths)
        )
        self.opinion = weight_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, waveform: Tensor) -> list[Tensor]:
        """(B, S) to maps."""
        spectrum = torch.stft(
            waveform.float(), self.n_fft, self.n_fft // 2, window=self.window, return_complex=True
        )
        parts = torch.view_as_real(spectrum).permute(0, 3, 2, 1)  # (B, 2, T, F)
        x = parts / parts.square().sum(1, keepdim=True).clamp(min=1e-6).pow(0.25)
        maps = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), _SLOPE)
            maps.append(x)
        return [*maps, self.opinion(x)]
