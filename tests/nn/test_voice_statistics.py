from __future__ import annotations

import torch

from avdetect.nn.voice_statistics import n_voice_statistics, voice_statistics
from avdetect.speech.features import N_MELS, N_VIEWS, fine_structure, spectral_views


def test_length_is_as_stated() -> None:
    views, speech = torch.randn(2, N_VIEWS, 80), torch.ones(2, 20)
    n = n_voice_statistics(N_MELS, N_VIEWS - N_MELS)
    assert voice_statistics(views, speech, N_MELS).shape == (2, n)


def test_frames_without_speech_do_not_count() -> None:
    views, speech = torch.randn(1, N_VIEWS, 80), torch.ones(1, 20)
    speech[:, 10:] = 0
    spoiled = views.clone()
    spoiled[..., 40:] = 100.0
    same = [voice_statistics(v, speech, N_MELS) for v in (views, spoiled)]
    assert torch.allclose(*same)


def test_a_lines_colour_is_left_out_of_the_mel_statistics() -> None:
    views, speech = torch.randn(1, N_VIEWS, 80), torch.ones(1, 20)
    coloured = views.clone()
    coloured[:, :N_MELS] += torch.linspace(0, 3, N_MELS)[None, :, None]
    said = [voice_statistics(v, speech, N_MELS)[:, :N_MELS] for v in (views, coloured)]
    assert torch.allclose(*said, atol=1e-4)


def test_power_jumps_more_in_noise_than_in_a_steady_tone() -> None:
    tone = torch.sin(2 * torch.pi * 1_000 * torch.arange(32_000) / 16_000)[None]
    noise = torch.randn(1, 32_000, generator=torch.Generator().manual_seed(0))
    measures = [fine_structure(x)[0, :, 20:140].mean(1) for x in (tone, noise)]
    assert len(measures[0]) == 48
    band = 1  # of eight: 625 Hz to 1.25 kHz holds the tone
    flatness, jumps = ([m[8 * block + band] for m in measures] for block in (0, 4))
    assert flatness[0] < flatness[1] - 1.0
    assert jumps[0] < 0.5 * jumps[1]


def test_statistics_of_a_real_waveform_are_finite() -> None:
    speech = torch.ones(1, 40)
    silence = spectral_views(torch.zeros(1, 32_000), speech)
    assert voice_statistics(silence, speech, N_MELS).isfinite().all()
