from __future__ import annotations

import librosa
import numpy as np
import pytest

from recipes.forge.inversion import continued_phases, from_mel, minimum_phase_pulses, to_mel
from recipes.forge.pitch import track_pitch
from tests.recipes.forge.drawn_speech import spoken


def test_continued_phases_keep_a_tone_a_tone() -> None:
    tone = np.sin(2 * np.pi * 437.0 * np.arange(16_000) / 16_000)
    magnitude = np.maximum(np.abs(librosa.stft(tone, n_fft=1_024, hop_length=128)), 1e-7)
    drawn = librosa.istft(magnitude * np.exp(1j * continued_phases(magnitude, 128)), hop_length=128)
    spectrum = np.abs(np.fft.rfft(drawn[4_000:12_000] * np.hanning(8_000))) ** 2
    assert np.argmax(spectrum) * 2 == pytest.approx(437, abs=2)
    assert spectrum[214:224].sum() > 0.95 * spectrum.sum()


def test_mel_bands_give_back_a_smooth_spectrum() -> None:
    smooth = 1.0 + np.cos(np.linspace(0, 3, 513))[:, None] * np.ones((1, 4))
    again = from_mel(to_mel(smooth, 80), 1_024)
    assert np.allclose(again[20:480], smooth[20:480], atol=0.1)


@pytest.mark.parametrize("n_samples", [4_095, 4_097, 16_001])
def test_a_voice_up_to_the_end_of_a_part_frame_keeps_its_length(n_samples: int) -> None:
    overtones = np.arange(1, 20)[:, None]
    phase = 2 * np.pi * 140.0 * np.arange(n_samples) / 16_000
    voice = np.sum(np.sin(overtones * phase) / overtones, axis=0)
    for first in range(0, 120, 10):  # a pulse in every part of the last frame
        pulses = minimum_phase_pulses(voice[first:], np.random.default_rng(0))
        assert len(pulses) == n_samples - first


def test_pulses_have_the_pitch_of_the_voice() -> None:
    speech = spoken(1.2, 150.0, seed=2).astype(np.float64)
    before = track_pitch(speech)
    after = track_pitch(minimum_phase_pulses(speech, np.random.default_rng(0)))
    both = (before > 0) & (after > 0)
    assert both.sum() > 0.7 * (before > 0).sum()
    assert np.median(np.abs(after[both] / before[both] - 1)) < 0.03
