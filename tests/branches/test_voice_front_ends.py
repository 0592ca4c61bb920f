from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from avdetect.branches.voice_clone import build_voice_clone
from avdetect.branches.voice_front_ends import (
    HEADS,
    VIEWS,
    build_voice_net,
    front_end,
    pin_speech_model,
    view_names,
)
from avdetect.errors import CheckpointError, ShapeError
from avdetect.nn.spectrogram_encoder import SpectrogramEncoder
from avdetect.nn.trained_state import trained_state
from avdetect.types import Segment
from tests.branches.test_voice_clone import checkpoint, observe
from tests.nn.tiny_speech_models import save_tiny

SMALL = {"front_end": "spectrogram", "width": 16, "token_width": 8, "dropout": 0.0}
EMBEDDED = {"width": 96, "token_width": 96, "dropout": 0.3}


@pytest.fixture(scope="module")
def speech_model(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = save_tiny("wavlm", tmp_path_factory.mktemp("wavlm"))
    return {"path": path, "tune": "lora", "lora_rank": 2}


@pytest.mark.parametrize(
    ("named", "head"),
    [
        ("spectrogram", "mean"),
        ("constant-q", "attentive"),
        ("waveform", "graph"),
        ("speech-model", "attentive"),
        (["spectrogram", "waveform"], "attentive"),
        (list(VIEWS), "graph"),
    ],
)
def test_one_token_and_one_score_per_half_second(
    named: str | list[str], head: str, speech_model: dict[str, Any]
) -> None:
    config = SMALL | {"front_end": named, "head": head, "speech_model": speech_model}
    net = build_voice_net(config).eval()
    waveform, speech = torch.randn(2, 16_000), torch.ones(2, 20)
    tokens, scores, _ = net(front_end(config).inputs(waveform, speech), speech)
    assert tokens.shape == (2, 2, 8)
    assert scores.shape == (2, 2)
    scores.sum().backward()
    idle = [name for name, p in net.named_parameters() if p.requires_grad and p.grad is None]
    assert [name for name in idle if "speech_model" not in name] == []


def test_each_view_is_heard() -> None:
    config = SMALL | {"front_end": ["waveform", "spectrogram"], "head": "attentive"}
    net = build_voice_net(config).eval()
    speech = torch.ones(1, 20)
    ours, other = (
        front_end(config).inputs(torch.randn(1, 16_000), speech) for _ in ("ours", "other")
    )
    _, scores, _ = net(ours, speech)
    for mixed in ((other[0], ours[1]), (ours[0], other[1])):
        assert not torch.allclose(net(mixed, speech)[1], scores)


@pytest.mark.parametrize("head", HEADS)
def test_the_embedded_network_is_small(head: str) -> None:
    net = build_voice_net(EMBEDDED | {"front_end": ["spectrogram", "waveform"], "head": head})
    assert sum(p.numel() for p in net.parameters()) < 3_000_000


def test_a_speech_model_with_what_was_trained_of_it_becomes_a_branch(
    speech_model: dict[str, Any],
) -> None:
    config = SMALL | {
        "front_end": ["spectrogram", "speech-model"],
        "head": "attentive",
        "speech_model": speech_model,
    }
    config = pin_speech_model(config)
    net = build_voice_net(config)
    with torch.no_grad():
        for name, weight in net.named_parameters():
            if name.endswith(".up"):
                weight.normal_()
    base = checkpoint()
    saved = replace(base, state=trained_state(net), card=replace(base.card, config=config))
    branch = build_voice_clone(saved, torch.device("cpu"))
    observation = observe(0.0, 4.0, Segment(0.0, 4.0))
    [[output]] = branch.run([observation])
    waveform = torch.from_numpy(observation.channels[0].waveform)[None]
    speech = torch.ones(1, 80)
    with torch.inference_mode():
        _, scores, _ = net.eval()(front_end(config).inputs(waveform, speech), speech)
    assert output.scores == pytest.approx(scores[0].numpy(), abs=1e-4)


def test_a_wrong_number_of_frames_is_refused() -> None:
    with pytest.raises(ShapeError):
        SpectrogramEncoder(64, 90, 16)(torch.zeros(1, 202, 79), torch.ones(1, 20))


@pytest.mark.parametrize("named", ["cochlea", [], ["waveform", "waveform"], ["aasist"], None, 3])
def test_an_unknown_front_end_is_refused(named: object) -> None:
    with pytest.raises(CheckpointError, match="spectrogram, constant-q, waveform, speech-model"):
        build_voice_net(SMALL | {"front_end": named})


def test_an_unknown_head_is_refused() -> None:
    with pytest.raises(CheckpointError, match="want one of mean, attentive, graph"):
        build_voice_net(SMALL | {"head": "maximum"})


def test_views_are_named_in_the_order_of_the_inputs() -> None:
    assert view_names({"front_end": "waveform"}) == ["waveform"]
    assert view_names({"front_end": ["waveform", "spectrogram"]}) == ["waveform", "spectrogram"]


@pytest.mark.parametrize("head", HEADS)
def test_a_result_does_not_depend_on_company_bit_for_bit(head: str) -> None:
    config = SMALL | {"front_end": ["constant-q", "waveform"], "head": head}
    base = checkpoint()
    state = build_voice_net(config).state_dict()
    saved = replace(base, state=state, card=replace(base.card, config=config))
    branch = build_voice_clone(saved, torch.device("cpu"))
    crowd = [observe(0.0, 4.0, Segment(0.0, 4.0), seed=k) for k in range(5)]
    together = branch.run(crowd)
    for index in (1, 4):
        [[alone]] = branch.run([crowd[index]])
        assert alone.scores.tolist() == together[index][0].scores.tolist()
