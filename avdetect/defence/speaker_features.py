"""What a speaker encoder reads, by the name in its config; all differentiable."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor

from avdetect.errors import CheckpointError
from avdetect.nn.speaker_encoder import SpeakerConfig, SpeakerEncoder
from avdetect.speech.features import lfcc, log_mel

_FAINT = 1e-4  # root mean square of what counts as nothing


def features_of(config: SpeakerConfig) -> Callable[[Tensor], Tensor]:
    """(B, S) waveform at 16 kHz to (B, F, T); raises `CheckpointError` for an unknown name."""
    if config.features == "log_mel":
        return partial(log_mel, n_mels=config.n_features)
    if config.features == "lfcc":
        return partial(lfcc, n_lfcc=config.n_features // 3)
    raise CheckpointError(f"speaker encoder: features {config.features!r}: use log_mel or lfcc")


def embed(net: SpeakerEncoder, waveform: Tensor) -> Tensor:
    """(B, S) waveforms at 16 kHz, any level, to (B, D) vectors of length 1."""
    level = waveform.square().mean(1, keepdim=True).sqrt().clamp_min(_FAINT)
    embedding: Tensor = net(features_of(net.config)(waveform / level))
    return embedding
