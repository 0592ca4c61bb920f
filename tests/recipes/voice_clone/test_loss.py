"""The loss wants fakes above real clips, twins above originals, and the forged word found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from recipes.voice_clone.batches import Batch
from recipes.voice_clone.loss import frame_speech, voice_loss
from recipes.voice_clone.settings import TrainingSettings, read_settings

CONFIG = Path(__file__).parents[3] / "recipes" / "voice_clone" / "config.toml"
NO_FRAMES = torch.zeros(2, 0)


def pair(*, whole: bool = True) -> Batch:
    """A second of an original and of its twin, whose second half second is forged."""
    frames = torch.zeros(2, 50)
    frames[1, 0 if whole else 25 :] = 1.0
    return Batch(
        waveforms=torch.zeros(2, 16_000),
        speech=torch.ones(2, 20),
        labels=torch.tensor([0.0, 1.0]),
        whole=torch.tensor([whole, whole]),
        frames=frames,
        pairs=torch.tensor([[0, 1]]),
    )


def settings(**changed: float) -> TrainingSettings:
    return replace(read_settings(CONFIG).training, **changed)


def test_a_higher_score_for_fakes_costs_less() -> None:
    right, wrong = torch.tensor([[-2.0] * 2, [2.0] * 2]), torch.tensor([[2.0] * 2, [-2.0] * 2])
    apart = settings(rank_weight=0.0, row_weight=0.0)
    assert voice_loss(right, NO_FRAMES, pair(), apart) < voice_loss(wrong, NO_FRAMES, pair(), apart)


def test_the_order_of_a_pair_counts_even_where_both_are_called_real() -> None:
    training = settings(row_weight=0.0)
    ranked, even = torch.tensor([[-4.0] * 2, [-2.0] * 2]), torch.full((2, 2), -3.0)
    partial = pair(whole=False)
    assert voice_loss(ranked, NO_FRAMES, partial, training) < voice_loss(
        even, NO_FRAMES, partial, training
    )


def test_a_word_alone_does_not_call_its_clip_fake() -> None:
    training = settings(rank_weight=0.0, row_weight=0.0)
    assert voice_loss(torch.ones(2, 2), NO_FRAMES, pair(whole=False), training) == 0


def test_frames_are_rewarded_where_the_word_is_forged() -> None:
    batch, training, scores = pair(whole=False), settings(), torch.zeros(2, 2)
    right, wrong = 2 * (2 * batch.frames - 1), 2 * (1 - 2 * batch.frames)
    assert voice_loss(scores, right, batch, training) < voice_loss(scores, wrong, batch, training)


def test_silent_frames_count_less() -> None:
    batch, training, scores = pair(whole=False), settings(), torch.zeros(2, 2)
    wrong = 2 * (1 - 2 * batch.frames)
    wrong[:, :25] = 0.0  # wrong in the forged half alone
    batch.speech[:, 10:] = 0.0
    assert voice_loss(scores, wrong, batch, training) < voice_loss(
        scores, wrong, pair(whole=False), training
    )


def test_speech_of_steps_becomes_speech_of_frames() -> None:
    spoken = frame_speech(torch.tensor([[0.0, 1.0]]))
    assert torch.equal(spoken, torch.tensor([[0.0, 0.0, 0.5, 1.0, 1.0]]))
