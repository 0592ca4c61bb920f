from __future__ import annotations

import numpy as np
import pytest

from recipes.forge.measure import envelope_correlation
from recipes.forge.pitch import track_pitch
from recipes.forge.pitch_synchronous import repitch, shift_pitch, smoothed
from tests.recipes.forge.drawn_speech import spoken


@pytest.mark.parametrize("factor", [0.75, 0.9, 1.2, 1.4])
@pytest.mark.parametrize("pitch_hz", [110.0, 190.0])
def test_pitch_moves_by_the_asked_factor_and_formants_stay(factor: float, pitch_hz: float) -> None:
    speech = spoken(1.2, pitch_hz, seed=2).astype(np.float64)
    shifted = shift_pitch(speech, factor)
    before, after = track_pitch(speech), track_pitch(shifted)
    both = (before > 0) & (after > 0)
    assert both.sum() > 0.7 * (before > 0).sum()
    assert np.median(after[both] / before[both]) == pytest.approx(factor, rel=0.02)
    assert envelope_correlation(speech, shifted) > 0.9


def test_a_contour_is_followed() -> None:
    speech = spoken(1.2, seed=2).astype(np.float64)
    pitch = track_pitch(speech)
    monotone = track_pitch(repitch(speech, pitch, np.full_like(pitch, 120.0)))
    assert np.median(monotone[monotone > 0]) == pytest.approx(120.0, rel=0.02)
    voiced = (pitch > 0) & (monotone > 0)
    assert np.median(np.abs(pitch[voiced] / 120 - 1)) > 0.05
    assert np.median(np.abs(monotone[voiced] / 120 - 1)) < 0.02


def test_speech_without_pitch_stays_as_it_was() -> None:
    noise = 0.1 * np.random.default_rng(0).normal(size=8_000)
    unvoiced = np.zeros(100)
    assert np.allclose(repitch(noise, unvoiced, unvoiced), noise, atol=1e-9)
    silence = np.zeros(8_000)
    assert np.array_equal(smoothed(silence, np.random.default_rng(0)), silence)
