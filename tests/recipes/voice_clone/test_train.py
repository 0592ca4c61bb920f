from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from eval.manifest.row import ManifestRow
from recipes.datasets.voices import VoiceStore
from recipes.voice_clone.batches import Batch, VoiceBatches, colour_spectrum, crop_clip
from recipes.voice_clone.settings import Settings, read_settings
from recipes.voice_clone.train import VoiceTrainer, voice_loss
from tests.channels.test_codecs import chirps
from tests.nn.tiny_speech_models import save_tiny

CONFIG = Path(__file__).parents[3] / "recipes" / "voice_clone" / "config.toml"


@pytest.fixture
def settings() -> Settings:
    whole = read_settings(CONFIG)
    return Settings(
        development_fold=whole.development_fold,
        statistics=whole.statistics,
        network=whole.network | {"width": 16, "token_width": 8},
        training=replace(whole.training, n_steps=40, n_real=4, n_generated=2, n_twins=2),
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
    )


def test_learning_lowers_the_loss(settings: Settings, batch: Batch) -> None:
    trainer = VoiceTrainer(settings)
    losses = [trainer.learn(batch) for _ in range(12)]
    assert losses[-1] < 0.8 * losses[0]


def test_a_higher_score_for_fakes_costs_less() -> None:
    training = read_settings(CONFIG).training
    batch = Batch(
        waveforms=torch.zeros(2, 8_000), speech=torch.ones(2, 10), labels=torch.tensor([0.0, 1.0])
    )
    right, wrong = torch.tensor([[-2.0], [2.0]]), torch.tensor([[2.0], [-2.0]])
    assert voice_loss(right, batch, training) < voice_loss(wrong, batch, training)


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


def _store(root: Path) -> tuple[VoiceStore, list[ManifestRow]]:
    store, rows = VoiceStore(root), []
    for name in ("bona_a", "bona_b", "spoof_c"):
        sound = (chirps(2.5) * 20_000).astype(np.int16)
        for variant in ("clean", "channel_0"):
            store.write(variant, name, sound)
        if name.startswith("bona"):
            store.write("twin", name, sound[::-1].copy())
            store.write("twin_channel_0", name, sound[::-1].copy())
        store.write("speech", name, np.ones(50, np.uint8))
        fake = name.startswith("spoof")
        rows.append(
            ManifestRow(
                id=name,
                path=f"{name}.flac",
                label="fake" if fake else "real",
                source=name,
                generator="G" if fake else "",
            )
        )
    return store, rows


def test_batches_are_balanced_and_repeatable(tmp_path: Path, settings: Settings) -> None:
    store, rows = _store(tmp_path)
    batches = VoiceBatches(rows, store, settings.training)
    first, again = (batches.draw(np.random.default_rng(5)) for _ in range(2))
    assert torch.equal(first.waveforms, again.waveforms)
    assert first.labels.sum() == 4
    assert first.waveforms.shape == (8, 800 * first.speech.shape[1])


def test_shuffled_labels_leave_the_truth(tmp_path: Path, settings: Settings) -> None:
    store, rows = _store(tmp_path)
    control = VoiceBatches(rows, store, settings.training, shuffle_labels=True)
    labels = torch.cat([control.draw(np.random.default_rng(k)).labels for k in range(4)])
    truth = VoiceBatches(rows, store, settings.training)
    assert not torch.equal(
        labels, torch.cat([truth.draw(np.random.default_rng(k)).labels for k in range(4)])
    )


def test_short_clips_are_tiled_as_the_branch_does_it() -> None:
    waveform, speech = crop_clip(np.arange(1_600, dtype=np.float32), np.ones(2, np.float32), 5, 0)
    assert waveform.shape == (4_000,)
    assert waveform[1_600] == 0.0
    assert speech.tolist() == [1.0] * 5


def test_colouring_keeps_length_and_changes_the_balance() -> None:
    sound = chirps(1.0)
    coloured = colour_spectrum(sound, np.random.default_rng(0))
    assert coloured.shape == sound.shape
    assert np.abs(coloured - sound).max() > 0.01


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
