"""Constant-Q picture of a voice: twelve bands to the octave, narrow below and quick above.

Todisco et al. 2017, "Constant Q cepstral coefficients"; filters by librosa,
applied as convolutions.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from avdetect.speech.features import HOP_SAMPLES, level_speech
from avdetect.timebase import SAMPLE_RATE_HZ

N_CONSTANT_Q = 80
_BANDS_PER_OCTAVE = 12
_LOW_HZ = 75.0  # below lies hum; the highest band is at 7.2 kHz
_FLOOR = 1e-7  # of power, 70 dB below speech, as for the log-mel picture


def constant_q(waveform: Tensor, speech: Tensor) -> Tensor:
    """Log constant-Q power, levelled by speech.

    Args:
        waveform: (B, S) float32 at 16 kHz, S a multiple of 800.
        speech: (B, S / 800) share of each 50 ms step that is speech.

    Returns:
        (B, `N_CONSTANT_Q`, S / 200) float32, natural log of band power.

    Raises:
        ShapeError: if the two do not fit.
    """
    filters = _filters().to(waveform.device)
    levelled = level_speech(waveform, speech)
    reach = filters.shape[-1] // 2
    responses = F.conv1d(F.pad(levelled[:, None], (reach, reach)), filters, stride=HOP_SAMPLES)
    real, imaginary = responses[..., : waveform.shape[1] // HOP_SAMPLES].chunk(2, 1)
    return (real.square() + imaginary.square() + _FLOOR).log()


@lru_cache(maxsize=1)
@torch.inference_mode(False)  # kept for callers who need gradients, whoever asked first
def _filters() -> Tensor:
    """(2 `N_CONSTANT_Q`, 1, taps) real parts, then imaginary ones, at unit gain; odd taps."""
    import librosa.filters  # takes seconds to import, and few models look at this view

    frequencies = librosa.cqt_frequencies(
        n_bins=N_CONSTANT_Q, fmin=_LOW_HZ, bins_per_octave=_BANDS_PER_OCTAVE
    )
    filters, _ = librosa.filters.wavelet(
        freqs=frequencies, sr=SAMPLE_RATE_HZ, pad_fft=False, norm=1
    )
    taps = torch.from_numpy(filters)
    taps = F.pad(taps, (0, 1 - taps.shape[-1] % 2))
    return torch.cat([taps.real, taps.imag])[:, None].contiguous()
