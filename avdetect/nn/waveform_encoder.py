"""Raw sound through learned band-passes: what a spectrogram's windows blur, pitch pulse by pulse.

Ravanelli & Bengio 2018, "Speaker recognition from raw waveform with SincNet": of each filter only
the two edges are learned. Its power, a thousand times a second, is then read as a picture.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avdetect.nn.picture_encoder import PictureEncoder
from avdetect.nn.shapes import check_shape
from avdetect.timebase import SAMPLE_RATE_HZ, exact_ratio

N_FILTERS = 64
_N_TAPS = 129
_HOP_SAMPLES = exact_ratio(SAMPLE_RATE_HZ, 1_000)
_TIME_STRIDES = (5, 5, 2, 1)  # 50 columns to a step of 50 ms
_LOW_HZ, _HIGH_HZ = 80.0, 7_600.0  # below lies hum, above the skirts of resampling filters
_LEAST_BAND_HZ = 20.0
_MELS_PER_UNIT = 100.0  # of a learned shift, so that it moves at the pace of other weights
_FLOOR = 1e-7  # of power, 70 dB below speech, as for the spectrogram


class WaveformEncoder(nn.Module):
    """Sinc band-passes, their log power, a residual network.

    Args:
        width: features of a frame.
    """

    n_statistics = 0

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.filters = SincFilters(N_FILTERS)
        self.encoder = PictureEncoder(N_FILTERS, width, _TIME_STRIDES)

    def forward(self, waveform: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
        """Encode.

        Args:
            waveform: (B, 800 T) float32 at 16 kHz, its speech at unit power.
            speech: (B, T) share of each 50 ms step that is speech.

        Returns:
            Frames (B, width, T) and statistics (B, 0).
        """
        check_shape(waveform, f"{len(speech)} S", "waveform")
        frames, statistics = self.encoder((self.filters(waveform) + _FLOOR).log(), speech)
        return frames, statistics


class SincFilters(nn.Module):
    """Band-passes whose edges begin evenly spaced in mel, and are learned as shifts from there.

    In pairs a quarter of a cycle apart: the two together tell the power at every moment, where one
    alone, rectified, would tell its phase.

    Args:
        n_filters: their number, between 80 Hz and 7.6 kHz.
    """

    edges: Tensor
    taps: Tensor
    window: Tensor

    def __init__(self, n_filters: int) -> None:
        super().__init__()
        self.shifts = nn.Parameter(torch.zeros(2, n_filters))
        edges = torch.linspace(_mel(_LOW_HZ), _mel(_HIGH_HZ), n_filters + 1)
        taps = torch.arange(_N_TAPS) - (_N_TAPS - 1) / 2
        self.register_buffer("edges", torch.stack([edges[:-1], edges[1:]]), persistent=False)
        self.register_buffer("taps", taps, persistent=False)
        window = torch.hamming_window(_N_TAPS, periodic=False)
        self.register_buffer("window", window, persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(B, S) to power (B, n_filters, S / 16)."""
        padded = F.pad(waveform[:, None], (_N_TAPS // 2, _N_TAPS // 2))
        responses = F.conv1d(padded, self.impulse_responses()[:, None], stride=_HOP_SAMPLES)
        cosine, sine = responses.square().chunk(2, 1)
        return cosine + sine

    def impulse_responses(self) -> Tensor:
        """(2 n_filters, 129): Hamming-windowed sinc band-passes at unit gain, in both phases."""
        low, high = self.edges_hz()
        share = (high - low)[:, None] / SAMPLE_RATE_HZ
        envelope = 2 * share * torch.sinc(share * self.taps) * self.window
        phase = math.pi * (low + high)[:, None] / SAMPLE_RATE_HZ * self.taps
        return torch.cat([envelope * phase.cos(), envelope * phase.sin()])

    def edges_hz(self) -> tuple[Tensor, Tensor]:
        """Lower and upper edges, (n_filters,) each, in hertz."""
        mels = self.edges + _MELS_PER_UNIT * self.shifts
        hertz = 700 * (torch.pow(10, mels / 2595) - 1)
        low = hertz[0].clamp(0, SAMPLE_RATE_HZ / 2 - _LEAST_BAND_HZ)
        high = torch.maximum(hertz[1], low + _LEAST_BAND_HZ).clamp(max=SAMPLE_RATE_HZ / 2)
        return low, high


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)
