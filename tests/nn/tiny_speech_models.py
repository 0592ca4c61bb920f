"""Random speech models of the real layouts, small enough for a test."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import (
    HubertConfig,
    HubertModel,
    Wav2Vec2Config,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
)

KINDS = {
    "wav2vec2": (Wav2Vec2Model, Wav2Vec2Config),
    "hubert": (HubertModel, HubertConfig),
    "wavlm": (WavLMModel, WavLMConfig),
}
N_LAYERS = 2


def save_tiny(kind: str, folder: Path, *, seed: int = 0) -> str:
    """Write a model of that kind; returns the folder as a config names it."""
    torch.manual_seed(seed)
    model, config = KINDS[kind]
    model(
        config(
            hidden_size=16,
            num_hidden_layers=N_LAYERS,
            num_attention_heads=2,
            intermediate_size=32,
            conv_dim=(16,) * 7,
            num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=4,
        )
    ).save_pretrained(folder)
    return str(folder)
