from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from avdetect.channels.codecs import Waveform
from avdetect.channels.degrade import high_pass, narrow_band
from recipes.forge.kinds import FAMILIES, KINDS, SLOW, missing_kinds, neural_kinds
from recipes.forge.measure import envelope_correlation, log_spectral_distance
from recipes.forge.neural.networks import build_vocoder
from recipes.forge.neural.settings import CONFIGS, read_settings
from recipes.forge.neural.vocoders import save_vocoder
from tests.channels.test_codecs import power_above
from tests.recipes.forge.drawn_speech import spoken

# Moving formants changes the envelope: that is what these kinds are for.
_CONVERTED = frozenset({"world_warped", "lpc_warped", "resampled_phase_vocoder", "resampled_wsola"})
pytestmark = pytest.mark.filterwarnings("ignore:Empty filters:UserWarning")


def level(waveform: Waveform) -> float:
    return float(np.sqrt(np.mean(waveform.astype(np.float64) ** 2)))


def lag_ms(original: Waveform, twin: Waveform) -> float:
    """By how much the loudness, over 25 ms, comes late."""
    loud = [
        np.convolve(x.astype(np.float64) ** 2, np.hanning(400), "same") for x in (original, twin)
    ]
    first, second = (np.sqrt(x)[::16] - np.sqrt(x).mean() for x in loud)
    return float(np.argmax(np.correlate(second, first, "full"))) - len(first) + 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_twin_keeps_length_level_clock_and_words_and_is_forged(kind: str) -> None:
    original = 0.5 * spoken()
    before = original.copy()
    twin = KINDS[kind](original, np.random.default_rng(1))
    assert np.array_equal(original, before)
    assert twin.shape == original.shape
    assert twin.dtype == np.float32
    assert np.isfinite(twin).all()
    assert np.abs(twin).max() < 1.0
    assert level(twin) == pytest.approx(level(original), rel=0.1)
    assert abs(lag_ms(original, twin)) <= 6
    assert log_spectral_distance(original, twin) > 1.0
    least = 0.8 if kind in _CONVERTED else 0.9
    assert envelope_correlation(original, twin) > least
    other_words = spoken(seed=5)
    assert envelope_correlation(original, twin) > envelope_correlation(other_words, twin) + 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_forges_the_same_twin(kind: str) -> None:
    original = spoken(0.6)
    twins = [KINDS[kind](original, np.random.default_rng(4)) for _ in range(2)]
    assert np.array_equal(*twins)
    others = (KINDS[kind](original, np.random.default_rng(seed)) for seed in (5, 6, 7))
    assert not all(np.array_equal(twins[0], other) for other in others)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_samples", [0, 900])
def test_silence_and_shreds_are_no_trouble(kind: str, n_samples: int) -> None:
    silence, shred = np.zeros(n_samples, np.float32), spoken(0.6)[2_000 : 2_000 + n_samples]
    assert np.array_equal(KINDS[kind](silence, np.random.default_rng(0)), silence)
    twin = KINDS[kind](shred, np.random.default_rng(0))
    assert twin.shape == shred.shape
    assert np.isfinite(twin).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_twin_leaves_empty_what_the_original_leaves_empty(kind: str) -> None:
    narrow = narrow_band(high_pass(0.5 * spoken(), 120.0))
    twin = KINDS[kind](narrow, np.random.default_rng(1))
    whole = power_above(narrow, 0.0)
    assert power_above(twin, 4_200.0) < 1e-4 * whole
    assert whole - power_above(twin - twin.mean(), 50.0) < 1e-3 * whole


def test_without_pyworld_its_kinds_are_missing_with_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert missing_kinds() == {}
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    missing = missing_kinds()
    assert {"world", "world_warped", "lpc_pulses"} <= missing.keys() < KINDS.keys()
    assert all("pyworld" in reason and "install" in reason for reason in missing.values())


def test_the_table_is_whole() -> None:
    assert sum(map(len, FAMILIES.values())) == len(KINDS) >= 20
    assert KINDS.keys() >= SLOW


def test_every_trained_vocoder_is_one_more_kind(tmp_path) -> None:
    assert neural_kinds(tmp_path) == {}
    network = read_settings(CONFIGS / "istft_256.toml").network
    (tmp_path / "istft_256").mkdir()
    save_vocoder(build_vocoder(network), network, tmp_path / "istft_256" / "step_7.safetensors")
    kinds = neural_kinds(tmp_path)
    assert list(kinds) == ["neural istft_256@7"]
    twin = kinds["neural istft_256@7"](spoken(0.6), np.random.default_rng(0))
    assert twin.shape == spoken(0.6).shape
    assert level(twin) == pytest.approx(level(spoken(0.6)), rel=0.1)
