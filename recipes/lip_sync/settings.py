"""Settings of the lip-sync recipe, typed; an unknown key in the file is an error."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What ``config.toml`` says.

    Attributes:
        name: the checkpoint's name under ``models/``.
        seed: of everything random.
        held_out: identities of ``sync.csv`` that are never trained on.
        mouth_width, speech_width, embedding: size of the two streams; of an imported encoder's
            only ``embedding``, to which it is projected.
        head_width: size of the consistency head.
        batch: windows a step.
        sync_epochs, sync_rate: first stage, contrastive; peak learning rate.
        head_epochs, head_rate: second stage, forged mismatches.
        decay: weight decay of AdamW.
        encoder_model: an imported encoder under ``models/`` that the streams start from, frozen
            (``avdetect models import av_hubert``); without it they are our own.
    """

    name: str
    seed: int
    held_out: tuple[str, ...]
    mouth_width: int
    speech_width: int
    embedding: int
    head_width: int
    batch: int
    sync_epochs: int
    sync_rate: float
    head_epochs: int
    head_rate: float
    decay: float
    encoder_model: str | None = None


def read_settings(path: Path) -> Settings:
    """Read a TOML file; raises ``TypeError`` for an unknown or missing key."""
    table = tomllib.loads(path.read_text("utf-8"))
    return Settings(**{**table, "held_out": tuple(table["held_out"])})
