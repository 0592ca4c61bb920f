"""Mel frames to an inverse short-time Fourier transform, with or without tokens in between."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from avdetect.nn.istft_vocoder import ConvNeXtBlock, IstftDrawer, pad_to_multiple
from recipes.forge.neural.quantiser import ResidualQuantiser
from recipes.forge.neural.vocoder import Copy, Vocoder

_SQUEEZE = 8  # width of a frame to that of a token


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


class IstftVocoder(IstftDrawer, Vocoder):
    """`IstftDrawer`, with or without tokens before its blocks.

    With codebooks, mel frames are first coded as tokens, as the decoders of today's speech language
    models have it (WavTokenizer, Ji et al. 2024): blur of tokens, artefacts of the transform.
    """

    def __init__(self, settings: IstftSettings) -> None:
        s = self.settings = settings
        super().__init__(s.n_fft, s.hop, s.n_mels, s.width, s.n_blocks)
        self.bottleneck = TokenBottleneck(s) if s.n_quantisers else None

    def forward(self, waveform: Tensor, n_quantisers: int = 0) -> Copy:
        """See `Vocoder.forward`."""
        s, n_samples = self.settings, waveform.shape[1]
        padded = pad_to_multiple(waveform, s.hop * s.frames_per_token)
        x, penalty = self.enter(self.mel(padded)), waveform.new_zeros(())
        if self.bottleneck is not None:
            x, penalty = self.bottleneck(x, n_quantisers)
        return Copy(self.draw(x, padded.shape[1])[:, :n_samples], penalty)


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
