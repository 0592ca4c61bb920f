"""A softened twin has its original's magnitudes, as far as asked, and stays no original."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from recipes.forge.kinds import KINDS
from recipes.forge.softened import soften
from tests.recipes.voice_clone.miniature import speech


def distance_db(first: np.ndarray, second: np.ndarray) -> float:
    """Mean distance of log spectra where the first is heard."""
    spectra = [20 * np.log10(np.abs(librosa.stft(s, n_fft=512)) + 1e-4) for s in (first, second)]
    heard = spectra[0] > spectra[0].max() - 50
    return float(np.abs(spectra[0] - spectra[1])[heard].mean())


def test_magnitudes_come_nearer_the_more_is_asked() -> None:
    original = speech(0.0)
    twin = KINDS["mel_zero_phase"](original, np.random.default_rng(0))
    distances = [distance_db(original, soften(original, twin, s)) for s in (0.0, 0.5, 1.0)]
    assert distances == sorted(distances, reverse=True)
    assert distances[2] < 0.6 * distances[0]


def test_nothing_asked_leaves_the_twin() -> None:
    original = speech(0.0)
    twin = KINDS["mel_random_phase"](original, np.random.default_rng(0))
    assert soften(original, twin, 0.0) == pytest.approx(twin, abs=1e-4)


def test_the_phases_stay_the_twins() -> None:
    original = speech(0.0)
    twin = KINDS["mel_random_phase"](original, np.random.default_rng(0))
    softened = soften(original, twin, 1.0)
    near, far = (np.corrcoef(softened, other)[0, 1] for other in (twin, original))
    assert near > far
