from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model

from avdetect.branches.voice_clone import trained_state
from avdetect.branches.voice_front_ends import build_voice_net, front_end
from avdetect.errors import CheckpointError, ShapeError
from avdetect.nn.spectrogram_encoder import SpectrogramEncoder

SMALL = {"front_end": "spectrogram", "width": 16, "token_width": 8, "dropout": 0.0}


@pytest.fixture(scope="session")
def tiny_wav2vec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random wav2vec 2.0 of the real layout, small enough for a test."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("wav2vec")
    config = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(16,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
    )
    Wav2Vec2Model(config).save_pretrained(folder)
    return folder


def test_one_token_and_one_score_per_half_second() -> None:
    net = build_voice_net(SMALL).eval()
    waveform, speech = torch.randn(2, 48_000), torch.ones(2, 60)
    tokens, scores = net(front_end(SMALL).inputs(waveform, speech), speech)
    assert tokens.shape == (2, 6, 8)
    assert scores.shape == (2, 6)


def test_a_wrong_number_of_frames_is_refused() -> None:
    with pytest.raises(ShapeError):
        SpectrogramEncoder(64, 90, 16)(torch.zeros(1, 202, 79), torch.ones(1, 20))


def test_wav2vec_feeds_the_same_head(tiny_wav2vec: Path) -> None:
    config = SMALL | {"front_end": "wav2vec2", "wav2vec_path": str(tiny_wav2vec)}
    net = build_voice_net(config)
    waveform, speech = torch.randn(2, 64_000), torch.ones(2, 80)
    tokens, scores = net(front_end(config).inputs(waveform, speech), speech)
    assert tokens.shape == (2, 8, 8)
    scores.sum().backward()
    assert net.encoder.layer_logits.grad.abs().sum() > 0
    assert all(p.grad is None for p in net.encoder.speech_model.parameters())
    assert not any("speech_model" in key for key in trained_state(net))
    assert not net.train().encoder.speech_model.training  # frozen means frozen


def test_an_absent_wav2vec_model_says_what_to_do(tmp_path: Path) -> None:
    config = SMALL | {"front_end": "wav2vec2", "wav2vec_path": str(tmp_path / "nowhere")}
    with pytest.raises(CheckpointError, match="wav2vec_path"):
        build_voice_net(config)


def test_an_unknown_front_end_is_refused() -> None:
    with pytest.raises(CheckpointError, match="spectrogram, wav2vec2"):
        build_voice_net(SMALL | {"front_end": "cochlea"})
