from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import ViTConfig, ViTModel, Wav2Vec2Model

from avdetect.errors import CheckpointError
from avdetect.nn.speech_encoder import SpeechEncoder
from avdetect.nn.speech_model import SpeechModelSettings, pinned, tuned_speech_model
from avdetect.nn.trained_state import load_trained_state, trained_state
from tests.nn.tiny_speech_models import KINDS, N_LAYERS, save_tiny

MAY_MOVE = {
    "frozen": r"(?!)",
    f"last-{N_LAYERS - 1}": rf"encoder\.layers\.{N_LAYERS - 1}\.",
    "full": r"",
    "lora": r".*\.(?:q|v)_proj\..*\.(?:up|down)$",
}


def encoder_of(path: str, tune: str) -> SpeechEncoder:
    torch.manual_seed(1)
    settings = SpeechModelSettings(path=path, tune=tune, lora_rank=2)
    return SpeechEncoder(tuned_speech_model(settings), 8)


def train_a_little(encoder: SpeechEncoder) -> set[str]:
    """Three steps; returns the names of the speech model's tensors that moved."""
    before = {name: tensor.clone() for name, tensor in encoder.speech_model.state_dict().items()}
    trained = [p for p in encoder.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=0.01, weight_decay=0.1)
    encoder.train()
    for _ in range(3):
        frames, _ = encoder(torch.randn(2, 8_000), torch.ones(2, 10))
        optimiser.zero_grad()
        frames.square().mean().backward()
        optimiser.step()
    after = encoder.speech_model.state_dict()
    return {name for name in before if not torch.equal(before[name], after[name])}


def frames_of(encoder: SpeechEncoder) -> Tensor:
    waveform = torch.randn(2, 8_000, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        frames, statistics = encoder.eval()(waveform, torch.ones(2, 10))
    assert frames.shape == (2, 8, 10)
    assert statistics.shape == (2, 0)
    return frames


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_to_be_tuned_moves_and_is_kept(kind: str, tmp_path: Path) -> None:
    path = save_tiny(kind, tmp_path)
    for tune, allowed in MAY_MOVE.items():
        encoder = encoder_of(path, tune)
        moved = train_a_little(encoder)
        assert [name for name in moved if not re.match(allowed, name)] == [], tune
        assert bool(moved) == (tune != "frozen")
        kept = trained_state(encoder)
        assert {f"speech_model.{name}" for name in moved} <= kept.keys()
        restored = encoder_of(path, tune)
        load_trained_state(restored, kept)
        assert torch.equal(frames_of(restored), frames_of(encoder)), tune


@pytest.mark.parametrize("kind", KINDS)
def test_an_untrained_adaptation_changes_nothing(kind: str, tmp_path: Path) -> None:
    path = save_tiny(kind, tmp_path)
    adapted = encoder_of(path, "lora")
    plain = encoder_of(path, "frozen")
    plain.load_state_dict(
        {k: v for k, v in adapted.state_dict().items() if "speech_model" not in k}, strict=False
    )
    assert torch.equal(frames_of(adapted), frames_of(plain))


def test_low_rank_checkpoints_hold_little(tmp_path: Path) -> None:
    encoder = encoder_of(save_tiny("wav2vec2", tmp_path), "lora")
    kept = [name for name in trained_state(encoder) if name.startswith("speech_model.")]
    assert len(kept) == N_LAYERS * 2 * 2  # queries and values, up and down
    whole = sum(p.numel() for p in encoder.speech_model.parameters())
    assert sum(trained_state(encoder)[name].numel() for name in kept) < whole / 20


def test_every_layer_is_heard(tmp_path: Path) -> None:
    encoder = encoder_of(save_tiny("hubert", tmp_path), "frozen")
    with torch.no_grad():
        encoder.layer_logits.copy_(torch.tensor([0.0, 30.0, 0.0]))
    one = frames_of(encoder)
    with torch.no_grad():
        encoder.layer_logits.copy_(torch.tensor([0.0, 0.0, 30.0]))
    assert not torch.allclose(one, frames_of(encoder), atol=1e-3)


def test_frozen_means_without_dropout_too(tmp_path: Path) -> None:
    path = save_tiny("wavlm", tmp_path)
    assert not encoder_of(path, "frozen").train().speech_model.training
    assert encoder_of(path, "last-2").train().speech_model.training


def test_what_is_missing_left_over_or_misshapen_is_refused(tmp_path: Path) -> None:
    encoder = encoder_of(save_tiny("wav2vec2", tmp_path), "lora")
    state = trained_state(encoder)
    lora = next(name for name in state if name.endswith(".up"))
    for wrong in (
        {k: v for k, v in state.items() if k != lora},
        state | {"surplus": torch.zeros(1)},
        state | {lora: torch.zeros(3, 3)},
    ):
        with pytest.raises(RuntimeError):
            load_trained_state(encoder, wrong)


@pytest.mark.parametrize("tune", ["last-0", "last-3", "some"])
def test_an_unknown_tuning_is_refused(tune: str, tmp_path: Path) -> None:
    path = save_tiny("wav2vec2", tmp_path)
    with pytest.raises(CheckpointError, match="last-1 to last-2"):
        tuned_speech_model(SpeechModelSettings(path=path, tune=tune))


def test_an_absent_speech_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"speech_model\.path .*local folder or hub id"):
        tuned_speech_model(SpeechModelSettings(path=str(tmp_path / "nowhere"), tune="frozen"))


def test_a_model_of_another_family_is_refused(tmp_path: Path) -> None:
    small = ViTConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    ViTModel(small).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="'vit' model; want one of wav2vec2, hubert, wavlm"):
        tuned_speech_model(SpeechModelSettings(path=str(tmp_path), tune="frozen"))


def test_weights_that_are_not_whole_are_refused(tmp_path: Path) -> None:
    path = save_tiny("wav2vec2", tmp_path)
    model = Wav2Vec2Model.from_pretrained(path)
    state = {k: v for k, v in model.state_dict().items() if "layers.1.attention.q_proj" not in k}
    model.save_pretrained(path, state_dict=state)
    with pytest.raises(CheckpointError, match=r"lacks weights: .*q_proj"):
        tuned_speech_model(SpeechModelSettings(path=path, tune="frozen"))


def test_a_cut_off_file_of_weights_is_refused(tmp_path: Path) -> None:
    path = save_tiny("wav2vec2", tmp_path)
    weights = Path(path) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])
    with pytest.raises(CheckpointError, match="cannot load"):
        tuned_speech_model(SpeechModelSettings(path=path, tune="frozen"))


def test_weights_of_another_size_than_their_config_are_refused(tmp_path: Path) -> None:
    path = save_tiny("wav2vec2", tmp_path)
    config = Path(path) / "config.json"
    facts = json.loads(config.read_text("utf-8"))
    config.write_text(json.dumps(facts | {"intermediate_size": 48}), "utf-8")
    with pytest.raises(CheckpointError, match=r"speech_model\.path .*cannot load: .+"):
        tuned_speech_model(SpeechModelSettings(path=path, tune="frozen"))


def test_a_pinned_model_is_refused_when_its_weights_change(tmp_path: Path) -> None:
    path = save_tiny("wavlm", tmp_path)
    settings = pinned(SpeechModelSettings(path=path, tune="frozen"))
    tuned_speech_model(settings)
    save_tiny("wavlm", tmp_path, seed=1)
    with pytest.raises(CheckpointError, match="other weights"):
        tuned_speech_model(settings)


def test_half_precision_weights_are_computed_on_in_full(tmp_path: Path) -> None:
    path = save_tiny("wav2vec2", tmp_path)
    Wav2Vec2Model.from_pretrained(path).half().save_pretrained(path)
    model = tuned_speech_model(SpeechModelSettings(path=path, tune="frozen"))
    assert {p.dtype for p in model.parameters()} == {torch.float32}
