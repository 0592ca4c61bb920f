from __future__ import annotations

import math

import pytest
import torch

from avdetect.errors import ShapeError
from avdetect.speech.features import N_MELS, N_VIEWS, level_speech, lfcc, log_mel, spectral_views


def tone(hz: float, seconds: float = 1.0) -> torch.Tensor:
    return torch.sin(2 * math.pi * hz * torch.arange(int(seconds * 16_000)) / 16_000)[None]


def test_shapes_are_as_documented() -> None:
    waveform, speech = torch.randn(3, 32_000), torch.ones(3, 40)
    assert log_mel(waveform).shape == (3, 64, 160)
    assert lfcc(waveform).shape == (3, 90, 160)
    assert spectral_views(waveform, speech).shape == (3, N_VIEWS, 160)


def test_a_higher_tone_lights_a_higher_band() -> None:
    low, high = (int(log_mel(tone(hz))[0, :, 40].argmax()) for hz in (400.0, 4_000.0))
    assert low < high


def test_views_do_not_depend_on_gain() -> None:
    waveform, speech = torch.randn(1, 32_000), torch.ones(1, 40)
    loud = spectral_views(waveform, speech)
    assert torch.allclose(loud, spectral_views(0.03 * waveform, speech), atol=1e-3)


def test_hum_below_speech_is_not_seen() -> None:
    voice = tone(1_000.0)
    hummed = log_mel(voice + 0.5 * tone(30.0))
    assert (hummed - log_mel(voice))[0, 10:].abs().max() < 0.5


def test_level_is_that_of_the_speech_alone() -> None:
    waveform = torch.cat([0.1 * torch.randn(1, 16_000), torch.randn(1, 16_000)], 1)
    speech = torch.cat([torch.ones(1, 20), torch.zeros(1, 20)], 1)
    levelled = level_speech(waveform, speech)
    assert levelled[:, :16_000].square().mean() == pytest.approx(1.0, rel=1e-3)


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(ShapeError):
        spectral_views(torch.zeros(1, 32_000), torch.ones(1, 39))


def test_views_begin_with_the_mel_bands() -> None:
    waveform, speech = torch.randn(1, 16_000), torch.ones(1, 20)
    mel = log_mel(level_speech(waveform, speech))
    assert torch.equal(spectral_views(waveform, speech)[:, :N_MELS], mel)
