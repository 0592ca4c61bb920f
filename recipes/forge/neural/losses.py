"""How far a copy is from its original, and how well it deceives."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avdetect.nn.istft_vocoder import LogMel

_RESOLUTIONS = (256, 512, 1024)


class SpectralLoss(nn.Module):
    """L1 of log-mel frames plus the multi-resolution STFT loss (Yamamoto et al. 2020).

    Args:
        mel_weight: of the log-mel term.
        stft_weight: of the STFT term: spectral convergence plus L1 of log magnitudes.
    """

    def __init__(self, mel_weight: float, stft_weight: float) -> None:
        super().__init__()
        self.mel_weight, self.stft_weight = mel_weight, stft_weight
        self.mels = nn.ModuleList([LogMel(1024, 256, 80), LogMel(512, 128, 48)])

    def forward(self, copied: Tensor, original: Tensor) -> Tensor:
        """Scalar distance of two (B, S)."""
        mel = torch.stack([F.l1_loss(m(copied), m(original)) for m in self.mels]).mean()
        stft = torch.stack([_stft_distance(copied, original, n) for n in _RESOLUTIONS]).mean()
        return self.mel_weight * mel + self.stft_weight * stft


def _stft_distance(copied: Tensor, original: Tensor, n_fft: int) -> Tensor:
    a, b = (_magnitude(x, n_fft) for x in (copied, original))
    convergence = (b - a).square().sum((1, 2)).sqrt() / b.square().sum((1, 2)).sqrt()
    return convergence.mean() + F.l1_loss(a.log(), b.log())


def _magnitude(waveform: Tensor, n_fft: int) -> Tensor:
    window = torch.hann_window(n_fft)
    spectrum = torch.stft(waveform, n_fft, n_fft // 4, window=window, return_complex=True)
    return torch.view_as_real(spectrum).square().sum(-1).clamp(min=1e-6).sqrt()


Judgement = list[list[Tensor]]  # per discriminator: feature maps, the last one its opinion


def discriminator_loss(real: Judgement, copied: Judgement) -> Tensor:
    """Least squares (Mao et al. 2017): originals to 1, copies to 0."""
    terms = [
        (r[-1].float() - 1).square().mean() + c[-1].float().square().mean()
        for r, c in zip(real, copied, strict=True)
    ]
    return torch.stack(terms).mean()


def deceiving_loss(copied: Judgement) -> Tensor:
    """Least squares: copies to 1."""
    return torch.stack([(c[-1].float() - 1).square().mean() for c in copied]).mean()


def feature_loss(real: Judgement, copied: Judgement) -> Tensor:
    """Feature matching (Kumar et al. 2019, MelGAN), each map relative to the original's size."""

    def relative(pair: tuple[Sequence[Tensor], Sequence[Tensor]]) -> Tensor:
        distances = [
            F.l1_loss(c.float(), r.float()) / r.float().abs().mean().clamp(min=1e-3)
            for r, c in zip(pair[0][:-1], pair[1][:-1], strict=True)
        ]
        return torch.stack(distances).mean()

    return torch.stack([relative(pair) for pair in zip(real, copied, strict=True)]).mean()
