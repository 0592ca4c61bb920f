from __future__ import annotations

import pytest
import torch

from avdetect.branches.voice_front_ends import HEADS
from avdetect.nn.voice_pooling import AttentivePooling


@pytest.mark.parametrize("head", HEADS)
def test_sound_beside_speech_is_not_heard(head: str) -> None:
    torch.manual_seed(0)
    pooling = HEADS[head](6).eval()
    frames, speech = torch.randn(2, 6, 40), torch.ones(2, 40)
    speech[:, 10:20] = 0
    rows, whole = pooling(frames, speech)
    assert rows.shape == (2, 4, pooling.row_width)
    assert whole.shape == (2, pooling.whole_width)
    frames[:, :, 10:20] += 1.0
    rows_after, whole_after = pooling(frames, speech)
    assert torch.allclose(whole, whole_after, atol=1e-5)
    assert torch.allclose(rows[:, [0, 2, 3]], rows_after[:, [0, 2, 3]], atol=1e-5)


@pytest.mark.parametrize("head", HEADS)
def test_without_speech_every_step_counts(head: str) -> None:
    torch.manual_seed(0)
    pooling = HEADS[head](6).eval()
    frames = torch.randn(1, 6, 20)
    silent, spoken = pooling(frames, torch.zeros(1, 20)), pooling(frames, torch.ones(1, 20))
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(silent, spoken, strict=True))


@pytest.mark.parametrize("head", HEADS)
def test_every_tensor_learns(head: str) -> None:
    torch.manual_seed(0)
    pooling = HEADS[head](6).train()
    frames = torch.randn(3, 6, 20, requires_grad=True)
    rows, whole = pooling(frames, torch.ones(3, 20))
    (rows.square().sum() + whole.square().sum()).backward()
    assert frames.grad.abs().sum() > 0
    assert [name for name, p in pooling.named_parameters() if p.grad is None] == []


def test_attention_moves_the_mean_to_what_it_attends_to() -> None:
    pooling = AttentivePooling(1).eval()
    with torch.no_grad():  # relevance is 3 tanh(5 frame)
        for layer, weight in ((pooling.attention[0], 5.0), (pooling.attention[2], 3.0 / 64)):
            layer.weight.fill_(weight)
            layer.bias.zero_()
    frames = torch.tensor([[[1.0] * 5 + [-1.0] * 15]])
    rows, whole = pooling(frames, torch.ones(1, 20))
    assert frames.mean() == -0.5
    assert whole[0, 0] > 0.9
    assert rows[0, 0, 0] > 0.9
