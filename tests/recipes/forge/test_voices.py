from __future__ import annotations

import numpy as np
import pytest

from recipes.forge.voices import VOCODERS, forge_twin
from tests.channels.test_codecs import chirps


@pytest.mark.parametrize("kind", VOCODERS)
def test_a_twin_differs_in_nothing_but_the_vocoder(kind: str) -> None:
    original = chirps(1.2)
    twin = forge_twin(original, kind, np.random.default_rng(1))
    assert twin.shape == original.shape
    assert twin.dtype == np.float32
    assert np.sqrt(np.mean(twin**2)) == pytest.approx(np.sqrt(np.mean(original**2)), rel=0.05)
    assert np.sqrt(np.mean((twin - original) ** 2)) > 0.02 * np.sqrt(np.mean(original**2))
    loud = [np.abs(x).reshape(-1, 800).mean(1) for x in (original, twin)]
    assert np.corrcoef(*loud)[0, 1] > 0.8  # the same syllables at the same time


@pytest.mark.parametrize("kind", VOCODERS)
def test_the_same_seed_gives_the_same_twin(kind: str) -> None:
    original = chirps(0.6)
    twins = [forge_twin(original, kind, np.random.default_rng(4)) for _ in range(2)]
    assert np.array_equal(*twins)


def test_silence_stays_silence() -> None:
    silence = np.zeros(8_000, np.float32)
    assert np.abs(forge_twin(silence, "griffin_lim", np.random.default_rng(0))).max() < 1e-3
