from __future__ import annotations

import math

import pytest
import torch

from avdetect.errors import ShapeError
from avdetect.speech.constant_q import N_CONSTANT_Q, _filters, constant_q


def tone(hz: float) -> torch.Tensor:
    return torch.sin(2 * math.pi * hz * torch.arange(16_000) / 16_000)[None]


@pytest.mark.parametrize("hz", [75.0, 150.0, 600.0, 4_800.0])
def test_twelve_bands_are_an_octave(hz: float) -> None:
    picture = constant_q(tone(hz), torch.ones(1, 20))
    assert picture.shape == (1, N_CONSTANT_Q, 80)
    assert int(picture[0, :, 40].argmax()) == round(12 * math.log2(hz / 75.0))


def test_gain_is_not_seen() -> None:
    sound, speech = torch.randn(1, 16_000), torch.ones(1, 20)
    quiet = constant_q(0.03 * sound, speech)
    assert torch.allclose(constant_q(sound, speech), quiet, atol=1e-3)


def test_a_click_is_seen_when_it_happens() -> None:
    sound = torch.zeros(1, 16_000)
    sound[0, 8_000] = 1.0
    assert int(constant_q(sound, torch.ones(1, 20))[0, -1].argmax()) == 40


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(ShapeError):
        constant_q(torch.zeros(1, 16_000), torch.ones(1, 19))


def test_gradients_flow_though_a_scan_asked_first() -> None:
    _filters.cache_clear()
    with torch.inference_mode():
        constant_q(tone(300.0), torch.ones(1, 20))
    sound = tone(300.0).requires_grad_()
    constant_q(sound, torch.ones(1, 20)).sum().backward()
    assert sound.grad is not None and bool(sound.grad.isfinite().all())
