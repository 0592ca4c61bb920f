from __future__ import annotations

import numpy as np

from avdetect.channels.degrade import narrow_band
from recipes.forge.band import limit_band
from tests.channels.test_codecs import power_above
from tests.recipes.forge.drawn_speech import spoken


def test_noise_in_an_empty_band_is_turned_down_to_the_original() -> None:
    original = narrow_band(spoken()).astype(np.float64)
    noisy = original + 0.01 * np.random.default_rng(0).normal(size=len(original))
    limited = limit_band(noisy, original)
    assert power_above(limited, 4_300.0) < 0.01 * power_above(noisy, 4_300.0)
    assert np.corrcoef(limited, original)[0, 1] > 0.98


def test_what_the_original_has_is_left_alone() -> None:
    original = spoken().astype(np.float64)
    assert np.allclose(limit_band(original, original), original, atol=1e-6)
    assert np.allclose(limit_band(0.5 * original, original), 0.5 * original, atol=1e-6)


def test_silence_is_no_trouble() -> None:
    assert not limit_band(np.zeros(5_000), spoken()[:5_000].astype(np.float64)).any()
