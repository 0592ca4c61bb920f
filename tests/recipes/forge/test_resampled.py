from __future__ import annotations

import numpy as np
import pytest

from recipes.forge.resampled import stretch


@pytest.mark.parametrize("n_samples", [12_000, 16_000, 21_000])
def test_stretching_keeps_pitch_and_takes_the_asked_length(n_samples: int) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    stretched = stretch(tone, n_samples)
    assert stretched.shape == (n_samples,)
    spectrum = np.abs(np.fft.rfft(stretched * np.hanning(n_samples)))
    assert np.argmax(spectrum) * 16_000 / n_samples == pytest.approx(440, abs=2)
    inner = stretched[1_000:-2_000]
    assert np.sqrt(np.mean(inner**2)) == pytest.approx(np.sqrt(0.5), rel=0.02)
