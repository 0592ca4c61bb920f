"""What a generator's fingerprint is known to be like, as losses (Asnani et al. 2021, section 3.2).

Each is a plain function of fingerprints (B, C, N, N), scaled so that it does not depend on N.
"""

from __future__ import annotations

import torch
from torch import Tensor

_LOW_SHARE = 0.125  # of the sampling rate: below lies the picture's content
_LEAST = 1e-8


def magnitude_loss(fingerprint: Tensor) -> Tensor:
    """Mean square: a fingerprint is faint beside its picture."""
    return fingerprint.square().mean()


def low_frequency_loss(fingerprint: Tensor) -> Tensor:
    """Share of power below an eighth of the sampling rate: traces of up-sampling lie high; 0..1."""
    power = _power(fingerprint)
    return (power * _is_low(power)).sum() / power.sum().clamp_min(_LEAST)


def repetition_loss(fingerprint: Tensor) -> Tensor:
    """Minus log of the strongest high frequency over their mean: a pattern that repeats is a peak.

    0 for a flat spectrum, falling as one frequency stands out.
    """
    power = _power(fingerprint) * ~_is_low(_power(fingerprint))
    n_high = int((~_is_low(power)).sum())
    peak = power.flatten(1).amax(1)
    return -(peak * n_high / power.flatten(1).sum(1).clamp_min(_LEAST)).clamp_min(1e-3).log().mean()


def symmetry_loss(fingerprint: Tensor) -> Tensor:
    """How far the spectrum differs from its transpose: up-sampling is square; 0..1."""
    power = _power(fingerprint)
    difference = (power - power.transpose(1, 2)).square().flatten(1).sum(1)
    return (difference / (2 * power.square().flatten(1).sum(1)).clamp_min(_LEAST)).mean()


def _power(fingerprint: Tensor) -> Tensor:
    """(B, N, N) power over channels, zero frequency at [0, 0]."""
    power: Tensor = torch.fft.fft2(fingerprint, norm="ortho").abs().square().mean(1)
    return power


def _is_low(power: Tensor) -> Tensor:
    """(N, N) bool: both frequencies below `_LOW_SHARE`."""
    low = torch.fft.fftfreq(power.shape[-1], device=power.device).abs() < _LOW_SHARE
    both: Tensor = low[:, None] & low[None, :]
    return both
