"""First stage: the two streams learn synchrony from real clips alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from avdetect.nn.offset_curve import (
    best_offset,
    offset_curve,
    offset_heard,
    offset_similarities,
)
from avdetect.nn.sync_encoder import WINDOW_FRAMES
from eval.metrics import auc
from recipes.lip_sync.augment import augment, mirror
from recipes.lip_sync.contrast import sync_loss
from recipes.lip_sync.progress import Job, Progress
from recipes.lip_sync.settings import Settings
from recipes.lip_sync.streams import new_streams
from recipes.lip_sync.windows import TalkingClip, Window, cut_window, stack_windows

_SHIFTS = (-7, -5, -3, -1, 0, 1, 3, 5, 7)


class SyncStage(nn.Module):
    """The encoder with what training adds to it: what it hears and the temperature."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.encoder = new_streams(settings)
        self.mel = self.encoder.sound_features()
        self.log_temperature = nn.Parameter(torch.tensor(math.log(0.1)))

    def embed(self, windows: list[Window]) -> tuple[Tensor, Tensor, Tensor]:
        """Mouth (B, 30, E), speech (B, 60, E) and heard (B, 60) of windows."""
        mouths, lips, sound, heard = stack_windows(windows)
        mouth, speech = self.encoder(mouths, lips, self.mel(sound), heard)
        return mouth, speech, heard

    def loss(self, windows: list[Window]) -> Tensor:
        """Contrastive loss of windows in synchrony."""
        mouth, speech, heard = self.embed(windows)
        return sync_loss(mouth, speech, heard, self.log_temperature.exp().clamp(0.03, 0.5))


def train_sync(job: Job) -> SyncStage:
    """Train the first stage, writing ``sync.pt`` after every epoch."""
    settings, clips = job.settings, job.clips
    torch.manual_seed(settings.seed)
    stage = SyncStage(settings)
    if job.shuffled:
        clips = shuffled_pairs(clips, np.random.default_rng(settings.seed))
    per_epoch = math.ceil(sum(_n_windows(clip) for clip in clips) / settings.batch)
    progress = Progress(
        stage,
        job.folder / "sync.pt",
        steps=per_epoch * settings.sync_epochs,
        rate=settings.sync_rate,
        decay=settings.decay,
        largest_gradient=5.0,
    )
    if job.resume:
        progress.resume()
    for epoch in range(progress.epoch, settings.sync_epochs):
        rng = np.random.default_rng((settings.seed, epoch))
        loss = _one_epoch(stage, clips, settings.batch, progress, rng)
        progress.save()
        figures = measure_sync(stage, job.held_out)
        words = " ".join(f"{key}={value:.3f}" for key, value in figures.items())
        print(f"sync epoch {epoch + 1} loss={loss:.3f} {words}", flush=True)
    return stage


def measure_sync(stage: SyncStage, clips: list[TalkingClip]) -> dict[str, float]:
    """Offset accuracy and foreign-speech AUC on the first window of each clip.

    The sound of clip i is moved by a known number of frames, so that a network that always
    answers 0 fails; foreign speech is that of the next clip of another identity.
    """
    stage.eval()
    found = offset_errors(stage, clips, one_each=True)
    labels, scores = foreign_trials(stage, clips)
    stage.train()
    return {
        "within_one": float(np.mean(np.abs(found) <= 1)),
        "foreign_auc": float(auc(labels, scores)),
    }


def offset_errors(
    stage: SyncStage, clips: Sequence[TalkingClip], *, one_each: bool = False
) -> NDArray[np.int64]:
    """(N, M) frames by which the found offsets of moved clips are off, one column a movement.

    Args:
        stage: in evaluation mode.
        clips: N clips, of which the first window is taken.
        one_each: each clip is moved once, by the next amount in turn, not by all; M is 1.
    """
    turns = 1 if one_each else len(_SHIFTS)
    wanted = [
        [_SHIFTS[(number + turn) % len(_SHIFTS)] for turn in range(turns)]
        for number in range(len(clips))
    ]
    moved = [
        cut_window(delayed(clip, shift), 0)
        for clip, shifts in zip(clips, wanted, strict=True)
        for shift in shifts
    ]
    found = np.concatenate(
        [best_offset(_curves(stage, moved[k : k + 128])).numpy() for k in range(0, len(moved), 128)]
    )
    return np.asarray(found.reshape(len(clips), turns) - np.array(wanted), np.int64)


def foreign_trials(
    stage: SyncStage, clips: Sequence[TalkingClip]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Labels and scores of every clip with its own speech, then with the next other person's."""
    clips = list(clips)
    own, foreign = [], []
    for number, clip in enumerate(clips):
        own.append(cut_window(clip, 0))
        others = [c for c in clips[number + 1 :] + clips if c.identity != clip.identity]
        foreign.append(cut_window(with_sound_of(clip, others[0]), 0))
    peak = -torch.cat([_curves(stage, own), _curves(stage, foreign)]).amax(1).numpy()
    return np.repeat([0, 1], len(clips)), peak


def delayed(clip: TalkingClip, frames: int) -> TalkingClip:
    """The clip with its sound ``frames`` later (earlier where negative)."""
    return replace(clip, lead=clip.lead - frames)


def with_sound_of(clip: TalkingClip, other: TalkingClip) -> TalkingClip:
    """The clip's mouths with another clip's speech."""
    return replace(clip, audio=other.audio, lead=other.lead)


def shuffled_pairs(clips: list[TalkingClip], rng: np.random.Generator) -> list[TalkingClip]:
    """Every clip's mouths with the sound of another: the control that must learn nothing."""
    order = rng.permutation(len(clips))
    partner = dict(zip(order.tolist(), np.roll(order, 1).tolist(), strict=True))
    return [with_sound_of(clip, clips[partner[i]]) for i, clip in enumerate(clips)]


def _curves(stage: SyncStage, windows: list[Window]) -> Tensor:
    with torch.inference_mode():
        mouth, speech, heard = stage.embed(windows)
        return offset_curve(offset_similarities(mouth, speech), offset_heard(heard))


def _n_windows(clip: TalkingClip) -> int:
    return len(clip.mouths) // WINDOW_FRAMES


def _one_epoch(
    stage: SyncStage,
    clips: list[TalkingClip],
    batch: int,
    progress: Progress,
    rng: np.random.Generator,
) -> float:
    order = rng.permutation(np.repeat(np.arange(len(clips)), [_n_windows(c) for c in clips]))
    losses = []
    for start in range(0, len(order), batch):
        loss = stage.loss([random_window(clips[i], rng) for i in order[start : start + batch]])
        progress.step(loss)
        losses.append(loss.item())
    return float(np.mean(losses))


def random_window(clip: TalkingClip, rng: np.random.Generator) -> Window:
    """A window from anywhere in the clip, changed at random."""
    window = cut_window(clip, int(rng.integers(0, len(clip.mouths) - WINDOW_FRAMES + 1)))
    window = mirror(window) if rng.random() < 0.5 else window
    return augment(window, rng)
