from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import ViTModel

from avdetect.errors import CheckpointError, ShapeError
from avdetect.nn.face_network import build_face_network, pin_backbone, read_face_config
from avdetect.nn.image_encoder import FaceForgeryNet
from avdetect.nn.trained_state import load_trained_state, trained_state
from avdetect.nn.vision_model import VisionForgeryNet
from tests.nn.tiny_vision_models import KINDS, save_tiny_vision


def net_of(path: str, tune: str = "layer-norm", **backbone: str) -> VisionForgeryNet:
    torch.manual_seed(1)
    table = {"token_width": 8, "backbone": {"path": path, "tune": tune, **backbone}}
    net = build_face_network(read_face_config(table))
    assert isinstance(net, VisionForgeryNet)
    return net


def faces(n: int = 2) -> torch.Tensor:
    return torch.rand(n, 3, 224, 224, generator=torch.Generator().manual_seed(2))


def train_a_little(net: VisionForgeryNet) -> set[str]:
    """Two steps; returns the names of the vision model's tensors that moved."""
    before = {name: tensor.clone() for name, tensor in net.backbone.state_dict().items()}
    trained = [p for p in net.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=0.01, weight_decay=0.1)
    net.train()
    for _ in range(2):
        said = net(faces())
        optimiser.zero_grad()
        (said.score.square().mean() + said.mask_logits.square().mean()).backward()
        optimiser.step()
    after = net.backbone.state_dict()
    return {name for name in before if not torch.equal(before[name], after[name])}


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_the_frame_network_says(kind: str, tmp_path: Path) -> None:
    said = net_of(save_tiny_vision(kind, tmp_path)).eval()(faces())

    assert said.token.shape == (2, 8)
    assert said.score.shape == (2,)
    assert said.mask_logits.shape == (2, 22, 22)
    assert torch.isfinite(said.mask_logits).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tune", ["frozen", "layer-norm"])
def test_only_layer_norms_move_and_what_moved_is_kept(kind: str, tune: str, tmp_path: Path) -> None:
    path = save_tiny_vision(kind, tmp_path)
    net = net_of(path, tune)
    moved = train_a_little(net)
    norms = {
        f"{name}.{which}"
        for name, module in net.backbone.named_modules()
        if isinstance(module, nn.LayerNorm)
        for which in ("weight", "bias")
    }
    assert bool(moved) == (tune == "layer-norm")
    assert moved <= norms
    kept = trained_state(net)
    of_backbone = {n.removeprefix("backbone.") for n in kept if n.startswith("backbone.")}
    assert {name for name in of_backbone if "position_ids" not in name} <= norms
    restored = net_of(path, tune)
    load_trained_state(restored, kept)
    with torch.inference_mode():
        for before, after in zip(net.eval()(faces()), restored.eval()(faces()), strict=True):
            assert torch.equal(before, after)


def test_the_map_lies_where_the_patches_do(tmp_path: Path) -> None:
    net = net_of(save_tiny_vision("vit", tmp_path)).eval()
    with torch.inference_mode():
        hidden = torch.zeros(1, 17, 16)
        hidden[0, 1 + 3, 0] = 1.0  # the patch at the top right
        net.norm = nn.Identity()
        net.mask.weight.fill_(0.0)[0, 0] = 1.0
        net.mask.bias.zero_()
        net.backbone.forward = lambda pixel_values: type("Said", (), {"last_hidden_state": hidden})
        logits = net(faces(1)).mask_logits[0]

    assert logits[0, -1] == 1.0
    assert logits[0, 0] == logits[-1, -1] == 0.0


def test_pixels_are_scaled_as_the_model_expects(tmp_path: Path) -> None:
    one = net_of(save_tiny_vision("vit", tmp_path / "a")).eval()
    other = net_of(save_tiny_vision("vit", tmp_path / "b", mean=0.1)).eval()
    other.load_state_dict(one.state_dict())

    with torch.inference_mode():
        assert not torch.allclose(one(faces()).token, other(faces()).token, atol=1e-4)


def test_the_vision_model_stays_without_dropout(tmp_path: Path) -> None:
    net = net_of(save_tiny_vision("dinov2", tmp_path)).train()

    assert net.training
    assert not any(module.training for module in net.backbone.modules())


def test_other_sizes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="faces: want"):
        net_of(save_tiny_vision("vit", tmp_path))(torch.rand(1, 3, 256, 256))


def test_changed_weights_or_scaling_are_refused_once_pinned(tmp_path: Path) -> None:
    path = save_tiny_vision("clip", tmp_path)
    config = read_face_config({"backbone": {"path": path, "tune": "frozen"}})
    bound = pin_backbone(config)
    build_face_network(bound)
    for changed in ({"seed": 1}, {"mean": 0.4}):
        save_tiny_vision("clip", tmp_path, **changed)
        with pytest.raises(CheckpointError, match=r"backbone\.path .*other weights"):
            build_face_network(bound)


def test_what_cannot_be_used_says_why(tmp_path: Path) -> None:
    path = save_tiny_vision("vit", tmp_path)
    with pytest.raises(CheckpointError, match=r"backbone\.tune 'full': want one of frozen"):
        net_of(path, "full")
    with pytest.raises(CheckpointError, match=r"backbone\.path .*local folder or hub id"):
        net_of(str(tmp_path / "nowhere"))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"size": 64}), "utf-8")
    with pytest.raises(CheckpointError, match=r"lacks preprocessor_config\.json"):
        net_of(path)


def test_weights_that_are_not_whole_are_refused(tmp_path: Path) -> None:
    path = save_tiny_vision("vit", tmp_path)
    model = ViTModel.from_pretrained(path, add_pooling_layer=False)
    name = next(n for n in model.state_dict() if n.startswith("encoder.layer") or "layers.1" in n)
    model.save_pretrained(
        path, state_dict={k: v for k, v in model.state_dict().items() if k != name}
    )
    with pytest.raises(CheckpointError, match="lacks weights"):
        net_of(path)


def test_without_a_backbone_it_is_the_frame_network() -> None:
    config = read_face_config({"widths": [8, 8, 8, 8], "depths": [0, 0, 0, 0]})

    assert isinstance(build_face_network(config), FaceForgeryNet)
    assert pin_backbone(config) is config


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(TypeError):
        read_face_config({"backbone": {"path": "x", "tune": "frozen", "rank": 8}})
