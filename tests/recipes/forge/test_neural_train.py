from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from recipes.forge.neural.losses import SpectralLoss
from recipes.forge.neural.measure import likeness
from recipes.forge.neural.settings import CONFIGS, Settings, read_settings
from recipes.forge.neural.speech import draw_crops
from recipes.forge.neural.train import VocoderTrainer
from tests.synth import speech_like

CLIPS = [0.3 * speech_like(1.5, seed=seed) for seed in range(3)]


def small(n_quantisers: int = 2, **changes: object) -> Settings:
    settings = read_settings(CONFIGS / "istft_128.toml")
    shape = {"width": 32, "n_blocks": 2, "n_quantisers": n_quantisers, "n_codes": 16}
    network = settings.network | shape
    training = replace(settings.training, batch_size=2, crop_samples=4_096, **changes)
    return Settings(network=network, training=training)


def learn(trainer: VocoderTrainer, n_steps: int) -> list[dict[str, float]]:
    return [
        trainer.learn(torch.from_numpy(draw_crops(CLIPS, (2, 4_096), trainer.rng)))
        for _ in range(n_steps)
    ]


def test_training_brings_copies_closer() -> None:
    trainer = VocoderTrainer(small(0, warm_up_steps=100, learning_rate=3e-3))
    spectral = [loss["spectral"] for loss in learn(trainer, 50)]
    assert np.mean(spectral[-5:]) < 0.75 * np.mean(spectral[:5])
    speech = CLIPS[0][:16_000]
    with torch.inference_mode():
        copied = trainer.vocoder.eval()(torch.from_numpy(speech)[None]).waveform[0].numpy()
    a, b = (np.abs(x).reshape(-1, 80).mean(1) for x in (copied, speech))
    a, b = a - a.mean(), b - b.mean()
    lag = int(np.argmax(np.correlate(a, b, "full"))) - (len(b) - 1)
    assert abs(lag) <= 1  # of 5 ms: on the clock of the original


def test_a_resumed_training_goes_on_as_if_uninterrupted(tmp_path: Path) -> None:
    settings = small(warm_up_steps=2)
    whole = VocoderTrainer(settings)
    straight = learn(whole, 6)
    stopped = VocoderTrainer(settings)
    learn(stopped, 3)
    torch.save(stopped.state(), tmp_path / "last.pt")
    resumed = VocoderTrainer(settings)
    resumed.restore(torch.load(tmp_path / "last.pt", weights_only=True))
    assert learn(resumed, 3) == straight[3:]
    for key, tensor in whole.vocoder.state_dict().items():
        assert torch.equal(tensor, resumed.vocoder.state_dict()[key]), key


def test_discriminators_learn_to_tell_noise_from_speech_after_the_warm_up() -> None:
    trainer = VocoderTrainer(small(warm_up_steps=1, learning_rate=0.0))
    losses = learn(trainer, 40)
    assert "judges" not in losses[0]
    judged = [loss["judges"] for loss in losses[1:]]
    assert np.mean(judged[-8:]) < 0.75 * np.mean(judged[:4])


def test_the_spectral_loss_of_an_equal_copy_is_nothing() -> None:
    speech = torch.from_numpy(np.stack([clip[:8_000] for clip in CLIPS]))
    loss = SpectralLoss(1.0, 1.0)
    assert float(loss(speech, speech)) == pytest.approx(0.0, abs=1e-6)
    assert float(loss(0.5 * speech, speech)) > 0.5


def test_a_blurred_copy_has_less_detail_and_a_noisy_one_more() -> None:
    speech = CLIPS[0]
    same = likeness(speech, speech)
    assert same == pytest.approx((0.0, 0.0, 1.0), abs=1e-5)
    noisy = likeness(speech + np.random.default_rng(0).normal(0, 0.01, len(speech)), speech)
    assert noisy.mel_l1 > 0.1
    assert noisy.distance_db > 1.0
    smooth = np.convolve(speech, np.hanning(5) / np.hanning(5).sum(), "same")
    assert likeness(smooth, speech).detail < 1.0


def test_crops_are_drawn_the_same_and_filled_from_short_clips() -> None:
    clips = [np.ones(100, np.float32), np.full(5_000, -1.0, np.float32)]
    drawn = [draw_crops(clips, (6, 1_000), np.random.default_rng(2)) for _ in range(2)]
    assert np.array_equal(*drawn)
    assert np.abs(drawn[0]).min() > 0.49  # 6 dB down at most, and no silence filled in


@pytest.mark.parametrize("table", ["[network]\nkind='istft'\n[training]\nsurprise=1\n", "odd=1\n"])
def test_an_unknown_setting_is_refused(tmp_path: Path, table: str) -> None:
    (tmp_path / "training.toml").write_bytes((CONFIGS / "training.toml").read_bytes())
    (tmp_path / "one.toml").write_text(
        table if "network" in table else f"{table}[network]\nkind='istft'\n", "utf-8"
    )
    with pytest.raises(TypeError, match=r"surprise|odd"):
        read_settings(tmp_path / "one.toml")
