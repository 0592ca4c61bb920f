"""Random vision models of the real layouts, small enough for a test."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPVisionConfig,
    CLIPVisionModel,
    Dinov2Config,
    Dinov2Model,
    ViTConfig,
    ViTModel,
)

KINDS = ("clip", "clip_vision_model", "dinov2", "vit")
_SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}


def save_tiny_vision(kind: str, folder: Path, *, seed: int = 0, mean: float = 0.5) -> str:
    """Write a model of that kind; returns the folder as a config names it."""
    torch.manual_seed(seed)
    _model(kind).save_pretrained(folder)
    pixels = {"image_mean": [mean] * 3, "image_std": [0.25] * 3}
    (Path(folder) / "preprocessor_config.json").write_text(json.dumps(pixels), "utf-8")
    return str(folder)


def _model(kind: str) -> torch.nn.Module:
    vision = CLIPVisionConfig(**_SIZES, image_size=64, patch_size=16)
    if kind == "clip":  # as OpenAI's checkpoints: both halves in one file
        text = CLIPTextConfig(**_SIZES, vocab_size=20, max_position_embeddings=8)
        return CLIPModel(
            CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=8)
        )
    if kind == "clip_vision_model":
        return CLIPVisionModel(vision)
    if kind == "dinov2":
        sizes = {key: value for key, value in _SIZES.items() if key != "intermediate_size"}
        return Dinov2Model(Dinov2Config(**sizes, image_size=518, patch_size=14))
    return ViTModel(ViTConfig(**_SIZES, image_size=64, patch_size=16), add_pooling_layer=False)
