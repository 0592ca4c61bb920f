"""Mel frames to an inverse short-time Fourier transform, with or without tokens in between."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recipes.forge.neural.quantiser import ResidualQuantiser
from recipes.forge.neural.vocoder import Copy, LogMel, Vocoder, pad_to_multiple

_SQUEEZE = 8  # width of a frame to that of a token
_LOUDEST = 100.0  # bound of predicted magnitudes


@dataclass(frozen=True, slots=True, kw_only=True)
class IstftSettings:
    """Shape of an `IstftVocoder`.

    Attributes:
        n_fft: of analysis and synthesis, in samples.
        hop: samples between frames.
        n_mels: bands of the input.
        width: features of a block.
        n_blocks: ConvNeXt blocks of the decoder.
        n_quantisers: codebooks between an encoder of half as many blocks and the decoder; 0: none.
        n_codes: entries of a codebook.
        frames_per_token: frames that one token stands for.
    """

    n_fft: int
    hop: int
    n_mels: int
    width: int
    n_blocks: int
    n_quantisers: int = 0
    n_codes: int = 512
    frames_per_token: int = 1


class IstftVocoder(Vocoder):
    """ConvNeXt blocks at frame rate predict magnitude and phase (Vocos, Siuzdak 2023).

    With codebooks, mel frames are first coded as tokens, as the decoders of today's speech language
    models have it (WavTokenizer, Ji et al. 2024): blur of tokens, artefacts of the transform.
    """

    window: Tensor

    def __init__(self, settings: IstftSettings) -> None:
        super().__init__()
        s = self.settings = settings
        self.mel = LogMel(s.n_fft, s.hop, s.n_mels, centred=True)
        self.enter = nn.Conv1d(s.n_mels, s.width, 7, padding=3)
        self.bottleneck = TokenBottleneck(s) if s.n_quantisers else None
        self.blocks = nn.Sequential(*(ConvNeXtBlock(s.width) for _ in range(s.n_blocks)))
        self.norm = nn.LayerNorm(s.width)
        self.leave = nn.Linear(s.width, s.n_fft + 2)
        self.register_buffer("window", torch.hann_window(s.n_fft), persistent=False)

    def forward(self, waveform: Tensor, n_quantisers: int = 0) -> Copy:
        """See `Vocoder.forward`."""
        s, n_samples = self.settings, waveform.shape[1]
        padded = pad_to_multiple(waveform, s.hop * s.frames_per_token)
        x, penalty = self.enter(self.mel(padded)), waveform.new_zeros(())
        if self.bottleneck is not None:
            x, penalty = self.bottleneck(x, n_quantisers)
        x = self.leave(self.norm(self.blocks(x).transpose(1, 2))).float().transpose(1, 2)
        log_magnitude, phase = x.chunk(2, dim=1)
        magnitude = log_magnitude.exp().clamp(max=_LOUDEST)
        spectrum = torch.complex(magnitude * phase.cos(), magnitude * phase.sin())
        copied = torch.istft(spectrum, s.n_fft, s.hop, window=self.window, length=padded.shape[1])
        return Copy(copied[:, :n_samples], penalty)


class TokenBottleneck(nn.Module):
    """Features through residual codebooks, at a fraction of the frame rate; (B, D, T) to same."""

    def __init__(self, settings: IstftSettings) -> None:
        super().__init__()
        self.stride = settings.frames_per_token
        self.encode = nn.Sequential(
            *(ConvNeXtBlock(settings.width) for _ in range(settings.n_blocks // 2)),
            nn.Conv1d(settings.width, settings.width, self.stride, self.stride),
        )
        self.squeeze = nn.Conv1d(settings.width, settings.width // _SQUEEZE, 1)
        self.quantiser = ResidualQuantiser(
            settings.n_quantisers, settings.n_codes, settings.width // _SQUEEZE
        )
        self.widen = nn.Conv1d(settings.width // _SQUEEZE, settings.width, 3, padding=1)

    def forward(self, x: Tensor, n_quantisers: int) -> tuple[Tensor, Tensor]:
        """Features that went through tokens, and the commitment loss."""
        n_frames = x.shape[2]
        padded = F.pad(x, (0, -n_frames % self.stride), mode="replicate")
        quantised, penalty = self.quantiser(self.squeeze(self.encode(padded)), n_quantisers)
        widened = self.widen(quantised).repeat_interleave(self.stride, dim=2)
        return widened[:, :, :n_frames], penalty


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
