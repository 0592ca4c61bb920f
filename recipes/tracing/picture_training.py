"""Train the fingerprint tracer on blocks: right source, and a fingerprint as fingerprints are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from avdetect.nn.fingerprint_network import BLOCK_PX, FingerprintConfig, FingerprintTracer
from eval.tracing.pictures import Picture, random_crop, through_jpeg
from recipes.tracing.constraints import (
    low_frequency_loss,
    magnitude_loss,
    repetition_loss,
    symmetry_loss,
)

_SIDE_PX = 128  # cut before the JPEG, so that its blocks surround what is looked at
_QUALITIES = (65, 99)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureTraining:
    """The ``[picture]`` table of ``config.toml``; see its comments."""

    seed: int
    n_steps: int
    blocks_per_source: int
    learning_rate: float
    weight_decay: float
    jpeg_share: float
    resized_share: float
    margin: float
    magnitude_weight: float
    low_frequency_weight: float
    repetition_weight: float
    symmetry_weight: float


class BlockDraw:
    """Blocks for training: sources alike often, then files alike, then pictures, then places."""

    def __init__(
        self,
        pictures: Sequence[Picture],
        labels: Sequence[int],
        files: Sequence[str],
        settings: PictureTraining,
    ) -> None:
        self._pictures, self._settings = pictures, settings
        self._by_source: dict[int, dict[str, list[int]]] = {}
        for index, (label, file) in enumerate(zip(labels, files, strict=True)):
            self._by_source.setdefault(label, {}).setdefault(file, []).append(index)

    def batch(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """(B, 3, 64, 64) float32 in [0, 1] and (B,) labels, as many blocks of every source."""
        blocks, labels = [], []
        for label, files in self._by_source.items():
            names = list(files)
            for _ in range(self._settings.blocks_per_source):
                indices = files[names[rng.integers(len(names))]]
                blocks.append(self._block(self._pictures[rng.choice(indices)], rng))
                labels.append(label)
        stacked = torch.from_numpy(np.stack(blocks)).permute(0, 3, 1, 2).float() / 255.0
        return stacked, torch.tensor(labels)

    def _block(self, picture: Picture, rng: np.random.Generator) -> Picture:
        settings = self._settings
        area = random_crop(picture, _SIDE_PX, rng)
        chance = rng.random()
        if chance < settings.resized_share:
            area = _resized(picture, rng)
        if chance < settings.resized_share + settings.jpeg_share:
            area = through_jpeg(np.ascontiguousarray(area), int(rng.integers(*_QUALITIES)))
        block = random_crop(area, BLOCK_PX, rng)
        return block[:, ::-1] if rng.random() < 0.5 else block


def train_tracer(
    draw: BlockDraw, config: FingerprintConfig, settings: PictureTraining
) -> FingerprintTracer:
    """A trained network, in evaluation mode; the same settings and data give the same weights."""
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    net = FingerprintTracer(config)
    optimiser = torch.optim.AdamW(
        net.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, settings.n_steps
    )
    began_s = time.monotonic()
    for step in range(1, settings.n_steps + 1):
        blocks, labels = draw.batch(rng)
        loss, right = _loss(net, blocks, labels, settings)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if step % 50 == 0:
            spent_s = time.monotonic() - began_s
            print(f"step {step}: loss {loss:.3f}, right {right:.2f}, {spent_s:.0f} s", flush=True)
    return net.eval()


def _loss(
    net: FingerprintTracer, blocks: Tensor, labels: Tensor, settings: PictureTraining
) -> tuple[Tensor, float]:
    """Cosine loss with a margin (Wang et al. 2018) plus the four constraints."""
    fingerprint, embedding = net(blocks)
    cosines = net.cosines(embedding)
    right = float((cosines.argmax(1) == labels).float().mean())
    held_back = cosines - settings.margin * F.one_hot(labels, cosines.shape[1])
    loss = F.cross_entropy(net.config.cosine_scale * held_back, labels)
    loss = loss + settings.magnitude_weight * magnitude_loss(fingerprint)
    loss = loss + settings.low_frequency_weight * low_frequency_loss(fingerprint)
    loss = loss + settings.repetition_weight * repetition_loss(fingerprint)
    return loss + settings.symmetry_weight * symmetry_loss(fingerprint), right


def _resized(picture: Picture, rng: np.random.Generator) -> Picture:
    scale = float(rng.uniform(0.4, 1.0))
    side_px = max(BLOCK_PX, round(min(picture.shape[:2]) * scale))
    return np.asarray(cv2.resize(picture, (side_px, side_px), interpolation=cv2.INTER_AREA))
