"""The constraints on fingerprints, on signals whose spectrum is known."""

from __future__ import annotations

import pytest
import torch

from recipes.tracing.constraints import (
    low_frequency_loss,
    magnitude_loss,
    repetition_loss,
    symmetry_loss,
)

SIDE = 64
ALONG = torch.arange(SIDE) * 2 * torch.pi / SIDE


def wave(cycles_down: int, cycles_right: int) -> torch.Tensor:
    return torch.cos(cycles_down * ALONG[:, None] + cycles_right * ALONG[None, :])[None, None]


def noise() -> torch.Tensor:
    return torch.randn(1, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def test_magnitude_is_mean_power():
    assert magnitude_loss(2 * wave(0, 16)).item() == pytest.approx(2.0, abs=1e-4)


def test_slow_wave_is_all_low_and_fast_one_not_at_all():
    assert low_frequency_loss(wave(2, 2)).item() == pytest.approx(1.0, abs=1e-4)
    assert low_frequency_loss(wave(0, 16)).item() == pytest.approx(0.0, abs=1e-4)


def test_planted_periodic_pattern_repeats_more_than_noise():
    planted = repetition_loss(noise() + wave(16, 16))
    assert repetition_loss(wave(16, 16)) < planted < repetition_loss(noise())


def test_spectrum_equal_in_rows_and_columns_is_symmetric():
    assert symmetry_loss(wave(16, 0) + wave(0, 16)).item() == pytest.approx(0.0, abs=1e-4)
    assert symmetry_loss(wave(16, 0)).item() == pytest.approx(1.0, abs=1e-4)


def test_losses_of_nothing_are_finite_and_have_gradients():
    silent = torch.zeros(1, 3, SIDE, SIDE, requires_grad=True)
    total = (
        magnitude_loss(silent)
        + low_frequency_loss(silent)
        + repetition_loss(silent)
        + symmetry_loss(silent)
    )
    total.backward()
    assert torch.isfinite(total)
    assert torch.isfinite(silent.grad).all()
