"""Second stage: the head learns from forged mismatches, on top of the frozen streams."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from avdetect.nn.mouth_detail import mouth_detail
from avdetect.nn.offset_curve import (
    MAX_OFFSET_FRAMES,
    best_offset,
    offset_curve,
    offset_heard,
    offset_similarities,
)
from avdetect.nn.sync_encoder import WINDOW_FRAMES
from avdetect.nn.sync_head import ConsistencyHead
from eval.metrics import auc
from recipes.forge.timing import ForgedMouth, dubbed_mouth
from recipes.lip_sync.augment import augment, mirror
from recipes.lip_sync.mismatch import SHARES, Judged, forged_twin, late, real_twin, with_speech
from recipes.lip_sync.progress import Job, Progress
from recipes.lip_sync.sync_stage import SyncStage
from recipes.lip_sync.windows import TalkingClip, Window, cut_window, stack_windows

_KINDS, _CHANCES = list(SHARES), list(SHARES.values())
_FRAME_LOSS = 0.3  # the window's verdict is what counts; frames help it to look in the right place
_DELAYS = (0, -7, 5, -3, 1, 7, -5, 3, -1)  # real and forged alike: lateness must not tell
_KNOWN_OFFSET = 0.4  # share of real windows whose offset many windows together would have found


def train_head(stage: SyncStage, job: Job) -> ConsistencyHead:
    """Train the head, writing ``head.pt`` after every epoch.

    For the control the labels of every batch are dealt anew.
    """
    settings = job.settings
    torch.manual_seed(settings.seed + 1)
    stage.eval().requires_grad_(False)
    head = ConsistencyHead(embedding=settings.embedding, width=settings.head_width)
    progress = Progress(
        head,
        job.folder / "head.pt",
        steps=math.ceil(len(job.clips) / (settings.batch // 2)) * settings.head_epochs,
        rate=settings.head_rate,
        decay=settings.decay,
        largest_gradient=math.inf,
    )
    if job.resume:
        progress.resume()
    for epoch in range(progress.epoch, settings.head_epochs):
        rng = np.random.default_rng((settings.seed, 1, epoch))
        loss = _one_epoch(stage, head, job, progress, rng)
        progress.save()
        figures = measure_head(stage, head, job.held_out) if epoch % 2 else {}
        words = " ".join(f"{key}={value:.3f}" for key, value in figures.items())
        print(f"head epoch {epoch + 1} loss={loss:.3f} {words}", flush=True)
    return head.eval()


def _one_epoch(
    stage: SyncStage, head: ConsistencyHead, job: Job, progress: Progress, rng: np.random.Generator
) -> float:
    half = job.settings.batch // 2
    order = rng.permutation(len(job.clips))
    losses = []
    for start in range(0, len(order), half):
        chosen = [job.clips[i] for i in order[start : start + half]]
        batch = twins(stage, chosen, job.clips, rng)
        if job.shuffled:
            batch = _shuffled_labels(batch, rng)
        loss = head_loss(stage, head, batch, rng)
        progress.step(loss)
        losses.append(loss.item())
    return float(np.mean(losses))


def twins(
    stage: SyncStage, chosen: list[TalkingClip], clips: list[TalkingClip], rng: np.random.Generator
) -> list[Judged]:
    """A real and a forged window of each clip, through the same chain of harmless changes."""
    windows = [_random_cut(clip, rng) for clip in chosen]
    others = [_random_cut(_other_clip(clip, clips, rng), rng) for clip in chosen]
    kinds = [str(rng.choice(_KINDS, p=_CHANCES)) for _ in chosen]
    dubbed = [i for i, kind in enumerate(kinds) if kind == "dubbed_mouth"]
    # Half of the dubs fit the mouth to another's speech, half re-make it for its own.
    voiced = [
        with_speech(windows[i], others[i]) if rng.random() < 0.5 else windows[i] for i in dubbed
    ]
    dubs = dict(zip(dubbed, zip(voiced, _dubs(stage, voiced, rng), strict=True), strict=True))
    batch = []
    for i, (window, other, kind) in enumerate(zip(windows, others, kinds, strict=True)):
        source, dub = dubs.get(i, (window, None))
        for judged in (
            real_twin(window, rng),
            forged_twin(source, kind, rng, other=other, dub=dub),
        ):
            moved = late(judged, int(rng.integers(-12, 13)) if rng.random() < 0.5 else 0)
            batch.append(replace(moved, window=augment(moved.window, rng)))
    return batch


def head_loss(
    stage: SyncStage, head: ConsistencyHead, batch: list[Judged], rng: np.random.Generator
) -> Tensor:
    """Cross-entropy of windows and of frames."""
    windows = [judged.window for judged in batch]
    with torch.no_grad():
        mouth, speech, heard = stage.embed(windows)
        offset = found_offset(mouth, speech, heard)
    for row, judged in enumerate(batch):
        if rng.random() < _KNOWN_OFFSET:
            # A clip of several windows knows its offset well; one that has none finds any.
            offset[row] = judged.offset
    logits, frames, _ = head(mouth, speech, heard, offset, _detail(windows))
    fake = torch.tensor([float(judged.fake) for judged in batch])
    labels = torch.from_numpy(np.stack([judged.labels for judged in batch])).float()
    return F.binary_cross_entropy_with_logits(
        logits, fake
    ) + _FRAME_LOSS * F.binary_cross_entropy_with_logits(frames, labels)


def found_offset(mouth: Tensor, speech: Tensor, heard: Tensor) -> Tensor:
    """(B,) int64 best offset of each window on its own."""
    return best_offset(offset_curve(offset_similarities(mouth, speech), offset_heard(heard)))


def measure_head(
    stage: SyncStage, head: ConsistencyHead, clips: list[TalkingClip], seed: int = 7
) -> dict[str, float]:
    """AUC of each kind of forgery against the real windows of held-out identities, at 1.2 s."""
    head.eval()
    rng = np.random.default_rng(seed)
    windows = [cut_window(clip, 0) for clip in clips]
    dubs = _dubs(stage, windows, rng)
    reals = [late(real_twin(window, rng), _DELAYS[i % 9]) for i, window in enumerate(windows)]
    real = score_windows(stage, head, [judged.window for judged in reals])
    figures = {}
    for kind in _KINDS:
        forged = [
            forged_twin(
                window, kind, rng, other=cut_window(_other_clip(clip, clips, rng), 0), dub=dub
            )
            for clip, window, dub in zip(clips, windows, dubs, strict=True)
        ]
        forged = [late(judged, _DELAYS[i % 9]) for i, judged in enumerate(forged)]
        scores = score_windows(stage, head, [judged.window for judged in forged])
        kept = np.array([judged.fake for judged in forged])
        labels = np.r_[np.zeros(len(real), int), np.ones(kept.sum(), int)]
        figures[kind] = float(auc(labels, np.r_[real, scores[kept]]))
    head.train()
    return figures


def score_windows(
    stage: SyncStage, head: ConsistencyHead, windows: list[Window]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """(N,) float32 window logits, higher = more fake, each at its own best offset."""
    with torch.inference_mode():
        mouth, speech, heard = stage.embed(windows)
        logits, _, _ = head(
            mouth, speech, heard, found_offset(mouth, speech, heard), _detail(windows)
        )
    return np.asarray(logits.numpy(), np.float32)


def _detail(windows: list[Window]) -> Tensor:
    mouths, lips, _, _ = stack_windows(windows)
    return mouth_detail(mouths, lips)


def _dubs(stage: SyncStage, windows: list[Window], rng: np.random.Generator) -> list[ForgedMouth]:
    if not windows:
        return []
    mouths, lips, sound, heard = stack_windows(windows)
    with torch.no_grad():
        mouth, speech = stage.encoder(mouths, lips, stage.mel(sound), heard)
    said = speech[:, MAX_OFFSET_FRAMES : MAX_OFFSET_FRAMES + WINDOW_FRAMES]
    agreement = torch.einsum("bte,bne->btn", said, mouth).numpy()
    return [
        dubbed_mouth(rows, float(rng.uniform(0.02, 0.15)), float(rng.uniform(0.0, 0.6)))
        for rows in agreement
    ]


def _other_clip(
    clip: TalkingClip, clips: list[TalkingClip], rng: np.random.Generator
) -> TalkingClip:
    same = [c for c in clips if c.identity == clip.identity and c.file != clip.file]
    if same and rng.random() < 0.5:  # matched voice half of the time
        return same[int(rng.integers(len(same)))]
    others = [c for c in clips if c.file != clip.file]
    return others[int(rng.integers(len(others)))]


def _random_cut(clip: TalkingClip, rng: np.random.Generator) -> Window:
    window = cut_window(clip, int(rng.integers(0, len(clip.mouths) - WINDOW_FRAMES + 1)))
    return mirror(window) if rng.random() < 0.5 else window


def _shuffled_labels(batch: list[Judged], rng: np.random.Generator) -> list[Judged]:
    order = rng.permutation(len(batch))
    return [
        replace(judged, fake=batch[i].fake, labels=batch[i].labels)
        for judged, i in zip(batch, order.tolist(), strict=True)
    ]
