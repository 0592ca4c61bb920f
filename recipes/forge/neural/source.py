"""The glottal half of a source-filter vocoder: harmonics of the voice's pitch, and noise."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avdetect.timebase import SAMPLE_RATE_HZ

_LOWEST_HZ, _HIGHEST_HZ = 60.0, 420.0
_FRAME = 1_024
_VOICED = 0.5  # of the normalised autocorrelation at the pitch period
_AMPLITUDE, _NOISE = 0.1, 0.03


class HarmonicSource(nn.Module):
    """Sines at the harmonics of the pitch where speech is voiced, noise everywhere.

    The excitation of the neural source-filter model (Wang et al. 2019), which the vocoders of most
    voice converters still have. Pitch by normalised autocorrelation. The noise is always the same.
    """

    window: Tensor

    def __init__(self, hop: int, n_harmonics: int) -> None:
        super().__init__()
        self.hop, self.n_harmonics = hop, n_harmonics
        self.register_buffer("window", torch.hann_window(_FRAME), persistent=False)

    @torch.no_grad()
    def forward(self, waveform: Tensor) -> Tensor:
        """Source of (B, S), S a multiple of hop; (B, H + 1, S): harmonics, then noise."""
        pitch_hz, voiced = self._pitch(waveform)
        n_samples = waveform.shape[1]
        pitch = pitch_hz.repeat_interleave(self.hop, 1)[:, None]
        voiced = F.interpolate(voiced[:, None], size=n_samples, mode="linear")
        orders = torch.arange(1, self.n_harmonics + 1, dtype=torch.float64)[:, None]
        turns = (pitch.double() / SAMPLE_RATE_HZ).cumsum(2) * orders
        below_nyquist = pitch * orders.float() < SAMPLE_RATE_HZ / 2
        sines = torch.sin(2 * torch.pi * turns.frac()).float() * below_nyquist * voiced
        noise = torch.randn(n_samples, generator=torch.Generator().manual_seed(0))
        return torch.cat([_AMPLITUDE * sines, _NOISE * noise.expand(len(waveform), 1, -1)], 1)

    def _pitch(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """Pitch in hertz and whether voiced (0 or 1), each (B, S / hop)."""
        margin = _FRAME - self.hop
        padded = F.pad(waveform, (margin // 2, margin - margin // 2))
        frames = padded.unfold(1, _FRAME, self.hop) * self.window
        correlation = _autocorrelation(frames) / _autocorrelation(self.window)
        first, last = int(SAMPLE_RATE_HZ / _HIGHEST_HZ), int(SAMPLE_RATE_HZ / _LOWEST_HZ)
        strength, lag = correlation[..., first : last + 1].max(-1)
        energy = correlation[..., 0].clamp(min=1e-7)
        return SAMPLE_RATE_HZ / (lag + first).float(), (strength / energy > _VOICED).float()


def _autocorrelation(frames: Tensor) -> Tensor:
    spectrum = torch.fft.rfft(frames, 2 * _FRAME)
    power = torch.view_as_real(spectrum).square().sum(-1)
    lags: Tensor = torch.fft.irfft(power)[..., : _FRAME // 2]
    return lags
