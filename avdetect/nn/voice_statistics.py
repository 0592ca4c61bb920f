"""How a voice's spectrum spreads and moves over some seconds: a few hundred plain numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from avdetect.nn.pooling import weighted_statistics

_BANDS_PER_GROUP = 8


def n_voice_statistics(n_mels: int, n_others: int) -> int:
    """Length of what `voice_statistics` gives."""
    return n_mels + 2 * (n_mels // _BANDS_PER_GROUP) + 2 * n_others


def voice_statistics(views: Tensor, speech: Tensor, n_mels: int) -> Tensor:
    """Weighted statistics of spectral views over frames of speech.

    Args:
        views: (B, n_mels + n_others, 4 T) log-mel bands, then cepstra and fine structure.
        speech: (B, T) share of each 50 ms step that is speech.
        n_mels: bands of the first view, a multiple of 8.

    Returns:
        (B, `n_voice_statistics`): deviations of log-mel bands; mean and deviation of the flatness
        of groups of eight bands; mean and deviation of all other rows. The mean of a mel band, a
        line's colour, is left out.
    """
    weights = speech.repeat_interleave(4, 1)
    mel, others = views[:, :n_mels], views[:, n_mels:]
    _, deviation = weighted_statistics(mel, weights)
    grouped = mel.reshape(len(mel), -1, _BANDS_PER_GROUP, mel.shape[-1])
    flatness = grouped.mean(2) - torch.logsumexp(grouped, 2)
    moments = [*weighted_statistics(flatness, weights), *weighted_statistics(others, weights)]
    return torch.cat([deviation, *moments], 1)
