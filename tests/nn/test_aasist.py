from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import Wav2Vec2Config, Wav2Vec2Model

from avdetect.nn.aasist import AASIST_L, AASIST_SAMPLES, Aasist, AasistSettings, fake_score
from avdetect.nn.foreign_names import AASIST_RULES, XLSR_AASIST_RULES, renamed
from avdetect.nn.xlsr_aasist import XlsrAasist
from eval.shared_data import shared_path
from tests.shared import requires_shared

OFFICIAL = {
    "AASIST": AasistSettings(),
    "AASIST-L": AASIST_L,
    "AASIST-ASVspoof5": AasistSettings(),
}


@requires_shared
@pytest.mark.parametrize("name", OFFICIAL)
def test_official_weights_reproduce_official_logits(name: str) -> None:
    state = torch.load(
        shared_path(f"peers/weights/{name}.pth"), map_location="cpu", weights_only=True
    )
    net = Aasist(OFFICIAL[name]).eval()
    net.load_state_dict(renamed(state, AASIST_RULES))
    golden = np.load(shared_path(f"golden/aasist_{name}.npz"))
    with torch.inference_mode():
        embeddings, logits = net(torch.from_numpy(golden["waveforms"]))
    np.testing.assert_allclose(logits, golden["logits_spoof_bona"], atol=1e-4)
    np.testing.assert_allclose(embeddings, golden["embedding"], atol=1e-4)
    np.testing.assert_allclose(fake_score(logits), -golden["score_bona_minus_spoof"], atol=2e-4)


def test_every_tensor_learns() -> None:
    net = Aasist(AASIST_L).train()
    _, logits = net(torch.randn(2, AASIST_SAMPLES))
    logits.square().sum().backward()
    idle = [name for name, p in net.named_parameters() if p.grad is None]
    assert idle == []


TINY = Wav2Vec2Config(
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=48,
    conv_dim=(16,) * 7,
    conv_bias=True,
    feat_extract_norm="layer",
    do_stable_layer_norm=True,
    num_conv_pos_embeddings=16,
    num_conv_pos_embedding_groups=4,
    layerdrop=0.0,
)


def as_fairseq(name: str) -> str:
    """Transformers' names as fairseq has them, written apart from the rules under test."""
    for ours, theirs in (
        ("feature_projection.projection", "post_extract_proj"),
        ("feature_projection.layer_norm", "layer_norm"),
        ("masked_spec_embed", "mask_emb"),
        ("pos_conv_embed.conv.parametrizations.weight.original0", "pos_conv.0.weight_g"),
        ("pos_conv_embed.conv.parametrizations.weight.original1", "pos_conv.0.weight_v"),
        ("pos_conv_embed.conv", "pos_conv.0"),
        (".attention.", ".self_attn."),
        ("feed_forward.intermediate_dense", "fc1"),
        ("feed_forward.output_dense", "fc2"),
    ):
        name = name.replace(ours, theirs)
    parts = name.split(".")
    if parts[:2] == ["feature_extractor", "conv_layers"]:
        parts[3:4] = ["0"] if parts[3] == "conv" else ["2", "1"]
    elif parts[:2] == ["encoder", "layers"] and parts[3] == "layer_norm":
        parts[3] = "self_attn_layer_norm"
    return "ssl_model.model." + ".".join(parts)


def test_fairseq_names_map_onto_transformers() -> None:
    torch.manual_seed(0)
    original = Wav2Vec2Model(TINY).eval()
    theirs: dict[str, Tensor] = {as_fairseq(k): v for k, v in original.state_dict().items()}
    theirs |= {"ssl_model.model.quantizer.vars": torch.zeros(1, 4, 2)}
    theirs |= {"ssl_model.model.final_proj.weight": torch.zeros(2, 2)}
    mapped = renamed(theirs, XLSR_AASIST_RULES)
    prefix = "speech_model."
    assert all(name.startswith(prefix) for name in mapped)
    loaded = Wav2Vec2Model(TINY).eval()
    loaded.load_state_dict({k.removeprefix(prefix): v for k, v in mapped.items()})
    waveform = torch.randn(1, 16_000)
    with torch.inference_mode():
        assert torch.equal(loaded(waveform).last_hidden_state, original(waveform).last_hidden_state)


def test_xlsr_with_aasist_judges_a_window() -> None:
    net = XlsrAasist(Wav2Vec2Model(TINY)).eval()
    with torch.inference_mode():
        embeddings, logits = net(torch.randn(2, AASIST_SAMPLES))
    assert embeddings.shape == (2, 160)
    assert logits.shape == (2, 2)
    assert logits.isfinite().all()
