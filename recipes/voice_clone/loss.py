"""What the network is asked: is the clip fake, is the twin more so, and where is the forgery."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from avdetect.nn.pooling import STEPS_PER_ROW, row_weights, weighted_mean
from recipes.voice_clone.batches import Batch
from recipes.voice_clone.settings import TrainingSettings

_FRAMES_PER_ROW = 25
# Silence is the same in a twin, so its frames say little.
_SILENCE_WEIGHT = 0.1
# A clip that is one class throughout says less of where than one that holds both.
_WHOLE_WEIGHT = 0.3


def voice_loss(
    scores: Tensor, frame_scores: Tensor, batch: Batch, settings: TrainingSettings
) -> Tensor:
    """Cross-entropy of clips, rows and frames, and of each pair's order.

    Args:
        scores: (B, T / 10) of rows.
        frame_scores: (B, 2.5 T), (B, 0) of a network without them.
        batch: truth.
        settings: what each part counts; a clip's cross-entropy counts 1.
    """
    speech = row_weights(batch.speech, STEPS_PER_ROW)
    clips = weighted_mean(scores, speech)
    original, fake = clips[batch.pairs].unbind(1)
    parts = {
        "clip": _clip_loss(clips, batch, settings.label_smoothing),
        "rank": settings.rank_weight * F.softplus(original - fake).mean(),
        "rows": settings.row_weight * _row_loss(scores, speech, batch),
    }
    if frame_scores.shape[1]:
        parts["frames"] = settings.frame_weight * _frame_loss(frame_scores, batch)
    return torch.stack(list(parts.values())).sum()


def frame_speech(speech: Tensor) -> Tensor:
    """(B, T) shares of 50 ms steps to (B, 2.5 T) of frames of 20 ms, T even."""
    return speech.repeat_interleave(5, 1).reshape(len(speech), -1, 2).mean(2)


def _clip_loss(clips: Tensor, batch: Batch, label_smoothing: float) -> Tensor:
    """Of clips that are of one class throughout, both classes counting alike."""
    fake = (batch.whole * batch.labels).float()
    real = batch.whole.float() - fake
    balance = 0.5 * (fake / fake.sum().clamp(min=1.0) + real / real.sum().clamp(min=1.0))
    smoothed = batch.labels * (1 - 2 * label_smoothing) + label_smoothing
    return F.binary_cross_entropy_with_logits(clips, smoothed, weight=balance, reduction="sum")


def _row_loss(scores: Tensor, speech: Tensor, batch: Batch) -> Tensor:
    truth = batch.frames.reshape(len(scores), -1, _FRAMES_PER_ROW).mean(2)
    losses = F.binary_cross_entropy_with_logits(scores, truth, reduction="none")
    return weighted_mean(losses.flatten()[None], speech.flatten()[None]).squeeze()


def _frame_loss(frame_scores: Tensor, batch: Batch) -> Tensor:
    spoken = frame_speech(batch.speech)
    weights = spoken.clamp(min=_SILENCE_WEIGHT)
    weights = weights * torch.where(batch.whole, _WHOLE_WEIGHT, 1.0)[:, None]
    losses = F.binary_cross_entropy_with_logits(frame_scores, batch.frames, reduction="none")
    return weighted_mean(losses.flatten()[None], weights.flatten()[None]).squeeze()
