"""Log filter banks as AV-HuBERT hears them: 26 of every 10 ms, four of those to a 25 Hz frame."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avdetect.timebase import SAMPLE_RATE_HZ, SAMPLES_PER_FRAME, exact_ratio

N_BANKS = 26
_WINDOW, _HOP, _FFT = 400, 160, 512  # samples: 25 ms every 10 ms, no taper
_PER_FRAME = exact_ratio(SAMPLES_PER_FRAME, _HOP)
N_SOUND_FEATURES = N_BANKS * _PER_FRAME
_EMPHASIS = 0.97
_FULL_SCALE = 32768.0  # banks were taken of 16-bit samples; it decides what counts as no power


class LogFilterBanks(nn.Module):
    """The numbers of python_speech_features' ``logfbank``, normalised frame by frame.

    Loudness drops out: a gain adds the same to every bank, which the normalisation takes off.
    """

    banks: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("banks", _triangles(), persistent=False)

    def forward(self, sound: Tensor) -> Tensor:
        """(B, 640 T) float32 in [-1, 1] at 16 kHz to (B, T, 104)."""
        sound = sound * _FULL_SCALE
        sharpened = torch.cat([sound[:, :1], sound[:, 1:] - _EMPHASIS * sound[:, :-1]], 1)
        # The last windows reach beyond the end, where there is nothing.
        windows = F.pad(sharpened, (0, _WINDOW - _HOP)).unfold(1, _WINDOW, _HOP)
        power = torch.fft.rfft(windows, _FFT).abs().square() / _FFT
        energy = power @ self.banks
        logs = energy.clamp_min(torch.finfo(torch.float64).eps).log()
        stacked = logs.reshape(len(sound), -1, N_SOUND_FEATURES)
        return F.layer_norm(stacked, (N_SOUND_FEATURES,))


def _triangles() -> Tensor:
    """(257, 26): triangles even on the mel scale whose corners lie on bins of the spectrum."""
    mel = torch.linspace(0, _mel(SAMPLE_RATE_HZ / 2), N_BANKS + 2, dtype=torch.float64)
    hertz = 700.0 * (10 ** (mel / 2595.0) - 1.0)
    corners = ((_FFT + 1) * hertz / SAMPLE_RATE_HZ).floor()
    low, peak, high = corners[:-2], corners[1:-1], corners[2:]
    bins = torch.arange(_FFT // 2 + 1, dtype=torch.float64)[:, None]
    rising, falling = (bins - low) / (peak - low), (high - bins) / (high - peak)
    inside = (bins >= low) & (bins < high)
    return (torch.where(bins < peak, rising, falling) * inside).float()


def _mel(hertz: float) -> float:
    return 2595.0 * math.log10(1.0 + hertz / 700.0)
