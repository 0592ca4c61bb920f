from __future__ import annotations

import numpy as np
import pytest

from recipes.forge.prediction import analyse, synthesise, warp
from tests.recipes.forge.drawn_speech import spoken


def peak_hz(predictor: np.ndarray) -> float:
    spectrum = 1 / np.abs(np.fft.rfft(predictor, 4_096))
    return float(np.argmax(spectrum[20:]) + 20) * 16_000 / 4_096


def test_unchanged_prediction_gives_back_what_went_in() -> None:
    speech = spoken().astype(np.float64)
    predictors, residual = analyse(speech, 18)
    assert residual.shape == speech.shape
    assert np.sum(residual**2) < 0.3 * np.sum(speech**2)
    assert np.allclose(synthesise(residual, predictors), speech, atol=1e-9)


@pytest.mark.parametrize("factor", [0.85, 1.15])
def test_warping_moves_a_resonance_by_its_factor(factor: float) -> None:
    radius, angle = 0.98, 2 * np.pi * 1_500 / 16_000
    predictor = np.array([[1.0, -2 * radius * np.cos(angle), radius**2, 0.0, 0.0]])
    assert peak_hz(warp(predictor, factor)[0]) == pytest.approx(1_500 * factor, rel=0.02)


def test_silence_is_stable() -> None:
    predictors, residual = analyse(np.zeros(4_000), 16)
    assert np.isfinite(predictors).all()
    assert not synthesise(residual, predictors).any()
