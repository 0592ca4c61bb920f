"""What an expert on speech quality hears: the convolutions of Distill-MOS, pooled over time.

Distill-MOS (Stahl & Gamper 2025) learned to predict mean opinion scores from a large wav2vec 2.0
model over very many degraded, enhanced and synthesised recordings. What its convolutions find is
taken here as plain numbers: artefacts of generation are among what spoils quality.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_WINDOW, _STEP = 320, 160
_COMPRESSION = 0.3
_CHANNELS = (2, 64, 64, 128, 256, 256, 256)
_N_BANDS = 4  # left of the spectrum behind the last layer
_SLOPE = 0.1
_LEAST = 1e-12


class QualityEncoder(nn.Module):
    """Compressed complex spectrum through six convolutions to means and deviations over time."""

    n_numbers = 2 * _CHANNELS[-1] * _N_BANDS

    def __init__(self) -> None:
        super().__init__()
        last = len(_CHANNELS) - 2
        layers = [
            nn.Conv2d(
                n_in,
                n_out,
                3,
                stride=(2 if index else 1, 2 if index == last else 1),
                padding=(0, 1),
            )
            for index, (n_in, n_out) in enumerate(pairwise(_CHANNELS))
        ]
        self.layers = nn.ModuleList(layers)
        self.register_buffer("window", torch.hann_window(_WINDOW), persistent=False)

    window: Tensor

    def forward(self, waveform: Tensor) -> Tensor:
        """Measure.

        Args:
            waveform: (B, S) at 16 kHz, S a multiple of 320; its level does not matter.

        Returns:
            (B, `n_numbers`): means over time of 1,024 features, then their deviations.
        """
        frames = compressed_spectrum(waveform, self.window)
        for layer in self.layers:
            frames = F.leaky_relu(layer(frames), _SLOPE)
        features = frames.flatten(1, 2)
        return torch.cat([features.mean(2), features.std(2)], 1)


def compressed_spectrum(waveform: Tensor, window: Tensor) -> Tensor:
    """(B, S) to (B, 2, 161, S / 160): real and imaginary part, magnitudes to the power 0.3."""
    peak = waveform.abs().amax(1, keepdim=True)
    edge = (_WINDOW - _STEP) // 2
    padded = F.pad(waveform / (peak + 1e-8), (edge, edge), mode="reflect")
    spectrum = torch.stft(padded, _WINDOW, _STEP, window=window, center=False, return_complex=True)
    magnitude = spectrum.abs().clamp(min=_LEAST)
    return torch.view_as_real(spectrum * magnitude ** (_COMPRESSION - 1)).permute(0, 3, 1, 2)
