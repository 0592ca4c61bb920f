from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from recipes.voice_clone.batches import Batch
from recipes.voice_clone.settings import Settings, read_settings
from recipes.voice_clone.train import VoiceTrainer
from tests.channels.test_codecs import chirps
from tests.nn.tiny_speech_models import save_tiny

CONFIG = Path(__file__).parents[3] / "recipes" / "voice_clone" / "config.toml"


@pytest.fixture
def settings() -> Settings:
    whole = read_settings(CONFIG)
    return Settings(
        development_fold=whole.development_fold,
        judge=whole.judge,
        network=whole.network | {"width": 16, "token_width": 8},
        training=replace(whole.training, n_steps=40),
        forging=whole.forging,
    )


@pytest.fixture
def batch() -> Batch:
    """Two classes that differ plainly: voices with and without anything above 2 kHz."""
    sounds = []
    for seed in range(8):
        sound = chirps(2.0) + np.random.default_rng(seed).normal(0, 0.02, 32_000)
        if seed % 2:
            spectrum = np.fft.rfft(sound)
            spectrum[4_000:] = 0
            sound = np.fft.irfft(spectrum, 32_000)
        sounds.append(sound.astype(np.float32))
    return Batch(
        waveforms=torch.from_numpy(np.stack(sounds)),
        speech=torch.ones(8, 40),
        labels=torch.tensor([0.0, 1.0] * 4),
        whole=torch.ones(8, dtype=torch.bool),
        frames=torch.tensor([0.0, 1.0] * 4)[:, None].expand(-1, 100),
        pairs=torch.arange(8).reshape(4, 2),
    )


def test_learning_lowers_the_loss(settings: Settings, batch: Batch) -> None:
    trainer = VoiceTrainer(settings)
    losses = [trainer.learn(batch) for _ in range(12)]
    assert losses[-1] < 0.8 * losses[0]


def test_a_resumed_run_goes_on_as_if_uninterrupted(settings: Settings, batch: Batch) -> None:
    first = VoiceTrainer(settings)
    first.learn(batch)
    state = first.state()
    second = VoiceTrainer(settings)
    second.restore(state)
    drawn = first.rng.random()
    torch.set_rng_state(state["torch_rng"])
    loss = first.learn(batch)
    torch.set_rng_state(state["torch_rng"])
    assert second.learn(batch) == loss
    assert second.rng.random() == drawn


def test_unknown_settings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.read_text("utf-8") + "surprise = 1\n", "utf-8")
    with pytest.raises(TypeError, match="surprise"):
        read_settings(path)


def _two_views(settings: Settings, tmp_path: Path, tune: str) -> Settings:
    speech_model = {"path": save_tiny("wav2vec2", tmp_path), "tune": tune, "lora_rank": 2}
    views = {"front_end": ["spectrogram", "speech-model"], "head": "attentive"}
    return replace(settings, network=settings.network | views | {"speech_model": speech_model})


def test_a_tuned_speech_model_learns_at_its_own_pace(
    tmp_path: Path, settings: Settings, batch: Batch
) -> None:
    trainer = VoiceTrainer(_two_views(settings, tmp_path, "lora"))
    before = {name: weight.clone() for name, weight in trainer.net.named_parameters()}
    trainer.learn(batch)
    own, pretrained = (group["lr"] for group in trainer.optimiser.param_groups)
    assert pretrained == pytest.approx(settings.training.speech_model_rate * own)
    moved = {n for n, p in trainer.net.named_parameters() if not torch.equal(p, before[n])}
    assert any(name.endswith(".up") for name in moved)
    assert any(name.startswith("encoder.views.spectrogram.") for name in moved)
    assert not any(name.endswith("weight.original") for name in moved)


def test_a_run_on_a_frozen_speech_model_resumes_without_keeping_it(
    tmp_path: Path, settings: Settings, batch: Batch
) -> None:
    settings = _two_views(settings, tmp_path, "frozen")
    first = VoiceTrainer(settings)
    first.learn(batch)
    state = first.state()
    assert not any(".speech_model." in name for name in {**state["net"], **state["average"]})
    second = VoiceTrainer(settings)
    second.restore(state)
    assert all(
        torch.equal(ours, theirs)
        for ours, theirs in zip(
            first.averaged.state_dict().values(), second.averaged.state_dict().values(), strict=True
        )
    )
