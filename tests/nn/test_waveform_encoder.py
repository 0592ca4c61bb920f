from __future__ import annotations

import math

import pytest
import torch

from avdetect.errors import ShapeError
from avdetect.nn.waveform_encoder import N_FILTERS, SincFilters, WaveformEncoder


def tone(hz: float, seconds: float = 0.5) -> torch.Tensor:
    return torch.sin(2 * math.pi * hz * torch.arange(int(seconds * 16_000)) / 16_000)[None]


@pytest.mark.parametrize("hz", [500.0, 1_500.0, 4_000.0, 7_000.0])
def test_a_tone_comes_through_the_filter_around_it(hz: float) -> None:
    filters = SincFilters(N_FILTERS)
    loudest = int(filters(tone(hz))[0].mean(1).argmax())
    low, high = filters.edges_hz()
    assert low[loudest] - 60 <= hz <= high[loudest] + 60


@torch.no_grad()
def test_power_is_steady_and_of_unit_gain_where_a_tone_is() -> None:
    filters = SincFilters(8)  # so wide that the window's skirts do not reach their middle
    low, high = filters.edges_hz()
    for k in (4, 5, 6, 7):
        power = filters(tone(float(low[k] + high[k]) / 2))[0, k, 10:-10]
        assert power.numpy() == pytest.approx(1.0, rel=0.05)


def test_edges_are_learned_and_stay_in_order() -> None:
    filters = SincFilters(N_FILTERS)
    filters(torch.randn(1, 8_000)).square().mean().backward()
    assert filters.shifts.grad is not None
    assert filters.shifts.grad.abs().sum() > 0
    with torch.no_grad():
        filters.shifts.normal_(0, 20)
    low, high = filters.edges_hz()
    assert (low >= 0).all()
    assert (high > low).all()
    assert (high <= 8_000).all()


def test_frames_are_steps_of_50_ms() -> None:
    encoder = WaveformEncoder(12).eval()
    sound = torch.randn(2, 16_000)
    frames, statistics = encoder(sound, torch.ones(2, 20))
    assert frames.shape == (2, 12, 20)
    assert statistics.shape == (2, 0)
    changed = sound.clone()
    changed[:, 8_000:8_800] = 0
    moved = (encoder(changed, torch.ones(2, 20))[0] - frames).abs().sum((0, 1))
    assert 9 <= int(moved.argmax()) <= 11


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(ShapeError):
        WaveformEncoder(12)(torch.randn(2, 16_000), torch.ones(2, 19))
