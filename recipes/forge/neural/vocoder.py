"""What every network here is: speech in, the same speech out, drawn anew by a vocoder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import librosa
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avdetect.timebase import SAMPLE_RATE_HZ

_QUIETEST = 1e-5  # floor of magnitudes before the logarithm


class Copy(NamedTuple):
    """A copied waveform (B, S) and what its codebooks ask the encoder to pay, a scalar."""

    waveform: Tensor
    penalty: Tensor


class Vocoder(nn.Module, ABC):
    """Analysis and synthesis in one module, on the clock of its input."""

    @abstractmethod
    def forward(self, waveform: Tensor, n_quantisers: int = 0) -> Copy:
        """Copy speech.

        Args:
            waveform: (B, S) float32 at 16 kHz and about `vocoders.LEVEL`, any S of at least 0.1 s.
            n_quantisers: of a network with codebooks, how many to use; 0 means all when it is
                evaluated and a random number when it is trained. Others ignore it.
        """


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


def pad_to_multiple(waveform: Tensor, step: int) -> Tensor:
    """(B, S) with zeros behind, so that ``step`` divides its length."""
    return F.pad(waveform, (0, -waveform.shape[1] % step))
