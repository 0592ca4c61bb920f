"""What speech loses when it is drawn anew."""

import numpy as np
import pytest

from avdetect.speech.redrawn import DRAWING_LEVEL, N_REDRAWN, drawable, redrawn_statistics
from tests.synth import noise, speech_like

N_BANDS, PER_BAND = 9, 7
COHERENCE = slice(0, N_BANDS * PER_BAND, PER_BAND)


@pytest.fixture(scope="module")
def fed():
    return drawable(speech_like(3.0))


def test_speech_is_fed_at_one_level_and_without_hum():
    hum = 0.2 * np.sin(2 * np.pi * 20 * np.arange(48_000) / 16_000).astype(np.float32)
    quiet, loud = drawable(0.01 * speech_like(3.0)), drawable(speech_like(3.0) + hum)
    for sound in (quiet, loud):
        assert np.sqrt(np.mean(sound**2)) == pytest.approx(DRAWING_LEVEL, rel=1e-3)
    assert np.abs(quiet - loud)[4000:].mean() < 0.1 * DRAWING_LEVEL


def test_a_perfect_copy_differs_in_nothing(fed):
    found = redrawn_statistics(fed, fed)
    assert found.shape == (N_REDRAWN,)
    np.testing.assert_allclose(found[COHERENCE], 1.0, atol=1e-2)
    assert not found[N_BANDS * PER_BAND :].any()


def test_how_loud_a_copy_is_tells_nothing(fed):
    copy = fed + 0.01 * noise(3.0)
    np.testing.assert_allclose(
        redrawn_statistics(fed, 0.5 * copy), redrawn_statistics(fed, copy), atol=1e-3
    )


def test_a_copy_of_other_phases_is_less_coherent_in_every_band(fed):
    spectrum = np.fft.rfft(fed)
    turned = spectrum * np.exp(2j * np.pi * np.random.default_rng(0).random(len(spectrum)))
    other = np.fft.irfft(turned, len(fed)).astype(np.float32)
    lost = redrawn_statistics(fed, fed)[COHERENCE] - redrawn_statistics(fed, other)[COHERENCE]
    assert (lost > 0.2).all()


def test_silence_and_crumbs_give_zeros():
    for n_samples in (0, 300, 3200):
        crumb = np.zeros(n_samples, np.float32)
        assert not redrawn_statistics(drawable(crumb), crumb).any()
