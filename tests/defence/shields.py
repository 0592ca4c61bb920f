"""Small shields with random weights, written as checkpoints: all that is needed but skill."""

from __future__ import annotations

from pathlib import Path

import torch

from avdetect.checkpoint_writer import write_checkpoint
from avdetect.defence.shield_models import joined_state
from avdetect.nn.identity_encoder import IdentityConfig, IdentityEncoder
from avdetect.nn.speaker_encoder import SpeakerConfig, SpeakerEncoder

SAID = "Measured on four people: it helps a little."
FACES = {"side_px": 32, "widths": [4, 6, 8, 8], "width": 8}
VOICES = {"features": "log_mel", "n_features": 16, "kind": "time", "width": 12, "embedding": 8}


def small_identity(seed: int = 0) -> IdentityEncoder:
    torch.manual_seed(seed)
    net = IdentityEncoder(IdentityConfig.from_table(FACES))
    coarse = torch.rand(32, 3, 8, 8)
    return _settled(net, torch.nn.functional.interpolate(coarse, (32, 32), mode="bicubic"))


def small_speaker(seed: int = 0) -> SpeakerEncoder:
    torch.manual_seed(seed)
    net = SpeakerEncoder(SpeakerConfig.from_table(VOICES))
    return _settled(net, torch.randn(32, 16, 50).cumsum(2))


def _settled(net: torch.nn.Module, inputs: torch.Tensor) -> torch.nn.Module:
    """Norms that know what comes, or a random network would say the same of everything."""
    with torch.no_grad():
        for layer in net.modules():
            if isinstance(layer, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
                layer.momentum = 1.0
            if isinstance(layer, torch.nn.Linear):
                layer.bias.zero_()
        for _ in range(3):
            net.train()(inputs)
    return net.eval().requires_grad_(False)


def write_shields(models: Path) -> Path:
    """A models folder with one face shield and one voice shield."""
    models.mkdir(exist_ok=True)
    (models / "default.toml").write_text("[checkpoints]\n")
    for role, net, table in (
        ("face_shield", small_identity(), FACES),
        ("voice_shield", small_speaker(), VOICES),
    ):
        card = {
            "role": role,
            "summary": "small",
            "licence": "Apache-2.0",
            "config": {"surrogates": {"only": table}},
            "measured": {"text": [SAID]},
            "limits": {"text": "Never prevents a forgery."},
        }
        write_checkpoint(models / f"{role}-small", joined_state({"only": net.state_dict()}), card)
    return models
