"""Speech drawn anew from its mel spectrogram: a small network and an inverse Fourier transform."""

from __future__ import annotations

import librosa
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avdetect.timebase import SAMPLE_RATE_HZ

_QUIETEST = 1e-5  # floor of magnitudes before the logarithm
_LOUDEST = 100.0  # bound of predicted magnitudes


class LogMel(nn.Module):
    """Natural logarithm of mel magnitudes, Hann window; (B, S) to (B, M, S / hop).

    Frames stand in the middle of their hop, as strided decoders need it (HiFi-GAN); with
    ``centred`` they stand at its start and there is one more, as `torch.istft` needs it.
    """

    basis: Tensor
    window: Tensor

    def __init__(self, n_fft: int, hop: int, n_mels: int, *, centred: bool = False) -> None:
        super().__init__()
        self.n_fft, self.hop, self.centred = n_fft, hop, centred
        basis = librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=n_fft, n_mels=n_mels)
        self.register_buffer("basis", torch.from_numpy(basis), persistent=False)
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Analyse."""
        margin = (self.n_fft if self.centred else self.n_fft - self.hop) // 2
        padded = F.pad(waveform[:, None], (margin, margin), mode="reflect")[:, 0]
        spectrum = torch.stft(
            padded, self.n_fft, self.hop, window=self.window, center=False, return_complex=True
        )
        magnitude = torch.view_as_real(spectrum).square().sum(-1).clamp(min=_QUIETEST**2).sqrt()
        return (self.basis @ magnitude).clamp(min=_QUIETEST).log()


class IstftDrawer(nn.Module):
    """ConvNeXt blocks at frame rate predict magnitude and phase (Vocos, Siuzdak 2023).

    Args:
        n_fft: of analysis and synthesis, in samples.
        hop: samples between frames.
        n_mels: bands of the input.
        width: features of a block.
        n_blocks: how many.
    """

    window: Tensor

    def __init__(self, n_fft: int, hop: int, n_mels: int, width: int, n_blocks: int) -> None:
        super().__init__()
        self.n_fft, self.hop = n_fft, hop
        self.mel = LogMel(n_fft, hop, n_mels, centred=True)
        self.enter = nn.Conv1d(n_mels, width, 7, padding=3)
        self.blocks = nn.Sequential(*(ConvNeXtBlock(width) for _ in range(n_blocks)))
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, n_fft + 2)
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)

    def redraw(self, waveform: Tensor) -> Tensor:
        """(B, S) float32 at 16 kHz and a root-mean-square of about 0.05, to the same."""
        padded = pad_to_multiple(waveform, self.hop)
        return self.draw(self.enter(self.mel(padded)), padded.shape[1])[:, : waveform.shape[1]]

    def draw(self, features: Tensor, n_samples: int) -> Tensor:
        """(B, width, T) of `enter` to (B, n_samples), ``n_samples`` a multiple of the hop."""
        x = self.leave(self.norm(self.blocks(features).transpose(1, 2))).float().transpose(1, 2)
        log_magnitude, phase = x.chunk(2, dim=1)
        magnitude = log_magnitude.exp().clamp(max=_LOUDEST)
        spectrum = torch.complex(magnitude * phase.cos(), magnitude * phase.sin())
        return torch.istft(spectrum, self.n_fft, self.hop, window=self.window, length=n_samples)


class ConvNeXtBlock(nn.Module):
    """Depth-wise convolution over time, then an inverted bottleneck (Liu et al. 2022)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.along = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width)
        self.across = nn.Sequential(
            nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width)
        )
        self.scale = nn.Parameter(torch.full((width,), 0.2))

    def forward(self, x: Tensor) -> Tensor:
        """(B, D, T) to the same."""
        y: Tensor = self.across(self.norm(self.along(x).transpose(1, 2))) * self.scale
        return x + y.transpose(1, 2)


def pad_to_multiple(waveform: Tensor, step: int) -> Tensor:
    """(B, S) with zeros behind, so that ``step`` divides its length."""
    return F.pad(waveform, (0, -waveform.shape[1] % step))
