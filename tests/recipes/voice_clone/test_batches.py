"""Batches in which nothing but the forgery tells a human clip from its twin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from eval.manifest.row import ManifestRow
from recipes.datasets.voices import VoiceStore
from recipes.voice_clone.batches import VoiceBatches, colour_spectrum
from recipes.voice_clone.settings import TrainingSettings, read_settings
from tests.channels.test_codecs import chirps
from tests.recipes.voice_clone.miniature import speech

CONFIG = Path(__file__).parents[3] / "recipes" / "voice_clone" / "config.toml"
KIND = "backwards"


@pytest.fixture
def settings() -> TrainingSettings:
    return replace(read_settings(CONFIG).training, n_pairs=2, n_partial=2, n_generated=1)


def make_stores(root: Path, *, alike: bool = False) -> tuple[VoiceStore, VoiceStore]:
    """Two human clips of one speaker with a twin each (``alike``: the clip itself), and a fake."""
    store, forged = VoiceStore(root / "clean"), VoiceStore(root / "forged")
    for number, name in enumerate(("bona_a", "bona_b", "spoof_c")):
        sound = (speech(3.0 * number) * 30_000).astype(np.int16)
        store.write("clean", name, sound)
        store.write("speech", name, np.ones(len(sound) // 800, np.uint8))
        if name.startswith("bona"):
            forged.write(KIND, name, sound if alike else sound[::-1].copy())
    return store, forged


def make_batches(
    root: Path, settings: TrainingSettings, *, alike: bool = False, shuffle_labels: bool = False
) -> VoiceBatches:
    rows = [
        ManifestRow(
            id=name,
            path=f"{name}.flac",
            label="fake" if name.startswith("spoof") else "real",
            source="north",
            speaker="one",
            generator="G" if name.startswith("spoof") else "",
        )
        for name in ("bona_a", "bona_b", "spoof_c")
    ]
    twins = {"bona_a": [KIND], "bona_b": [KIND]}
    return VoiceBatches(
        rows, make_stores(root, alike=alike), twins, settings, shuffle_labels=shuffle_labels
    )


def test_the_same_draw_gives_the_same_batch(tmp_path: Path, settings: TrainingSettings) -> None:
    batches = make_batches(tmp_path, settings)
    first, again = (batches.draw(np.random.default_rng(5)) for _ in range(2))
    assert torch.equal(first.waveforms, again.waveforms)
    assert torch.equal(first.frames, again.frames)


def test_shapes_belong_together(tmp_path: Path, settings: TrainingSettings) -> None:
    batch = make_batches(tmp_path, settings).draw(np.random.default_rng(1))
    n_steps = batch.speech.shape[1]
    assert batch.waveforms.shape == (10, 800 * n_steps)
    assert batch.frames.shape == (10, n_steps * 5 // 2)
    assert batch.labels.tolist() == [0.0, 1.0] * 5
    assert batch.pairs.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]


def test_twins_that_are_no_forgeries_cannot_be_told_from_their_originals(
    tmp_path: Path, settings: TrainingSettings
) -> None:
    """Through every channel, crop and join the two halves of a pair are treated the same."""
    settings = replace(settings, channel_share=1.0, softened_share=0.0)
    batches = make_batches(tmp_path, settings, alike=True)
    for seed in range(3):
        batch = batches.draw(np.random.default_rng(seed))
        assert torch.equal(batch.waveforms[0:8:2], batch.waveforms[1:8:2])


def test_a_spoof_differs_from_its_counterpart_near_its_marked_frames_alone(
    tmp_path: Path, settings: TrainingSettings
) -> None:
    plain = replace(settings, channel_share=0.0, n_pairs=0, n_partial=4)
    batch = make_batches(tmp_path, plain).draw(np.random.default_rng(3))
    original, spoof = batch.waveforms[0:8:2], batch.waveforms[1:8:2]
    differs = (original - spoof).abs().reshape(4, -1, 320).amax(2)
    marked = batch.frames[1:8:2] > 0
    partial = ~batch.whole[1:8:2]
    assert partial.any()
    for change, marks in zip(differs[partial], marks_of(marked[partial]), strict=True):
        assert change[marks].mean() > 10 * change[~marks].mean()


def marks_of(marked: torch.Tensor) -> torch.Tensor:
    """Marked frames and their neighbours, where the cross-fades are."""
    wide = torch.nn.functional.max_pool1d(marked.float()[:, None], 5, 1, 2)
    return wide[:, 0] > 0


def test_without_pairs_fakes_stand_beside_humans_drawn_by_themselves(
    tmp_path: Path, settings: TrainingSettings
) -> None:
    settings = replace(settings, paired=False, channel_share=0.0, softened_share=0.0)
    batch = make_batches(tmp_path, settings, alike=True).draw(np.random.default_rng(2))
    assert batch.labels.tolist() == [0.0, 1.0] * 5
    assert not any(torch.equal(a, b) for a, b in batch.waveforms.split(2))


def test_shuffled_labels_exchange_clips_and_twins(
    tmp_path: Path, settings: TrainingSettings
) -> None:
    found = set()
    for seed in range(4):
        truth, control = (
            make_batches(tmp_path, replace(settings, seed=seed), shuffle_labels=shuffled).draw(
                np.random.default_rng(2)
            )
            for shuffled in (False, True)
        )
        halves = zip(truth.waveforms[:4].chunk(2), control.waveforms[:4].chunk(2), strict=True)
        for true, dealt in halves:
            assert torch.equal(true, dealt) or torch.equal(true, dealt.flip(0))
            found.add(torch.equal(true, dealt))
    assert found == {True, False}


def test_without_twins_there_is_nothing_to_learn(
    tmp_path: Path, settings: TrainingSettings
) -> None:
    with pytest.raises(ValueError, match="twins"):
        VoiceBatches([], make_stores(tmp_path), {}, settings)


def test_colouring_keeps_length_and_changes_the_balance() -> None:
    sound = chirps(1.0)
    coloured = colour_spectrum(sound, np.random.default_rng(0))
    assert coloured.shape == sound.shape
    assert np.abs(coloured - sound).max() > 0.01
