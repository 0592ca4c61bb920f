"""Settings of the voice-clone recipe, typed; an unknown or missing key is refused."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUNS = Path(__file__).resolve().parents[2] / "runs" / "voice_clone"
STORE = RUNS / "cache"
CONFIG = Path(__file__).with_name("config.toml")
NUMBERS = RUNS / "numbers.npz"
FORGED = RUNS / "forged"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """The ``[training]`` table; see the comments of ``config.toml``."""

    seed: int
    n_steps: int
    steps_per_round: int
    n_pairs: int
    n_partial: int
    n_generated: int
    paired: bool
    learning_rate: float
    speech_model_rate: float
    weight_decay: float
    average: float
    softened_share: float
    channel_share: float
    rank_weight: float
    row_weight: float
    frame_weight: float
    label_smoothing: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgingSettings:
    """The ``[forging]`` table."""

    twins_per_clip: int
    validation: list[str]
    measured: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSettings:
    """The ``[judge]`` table."""

    vocoder: str
    ridge: float
    recorded_from: list[str]
    coded_from: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole file; ``network`` goes into the checkpoint as it is.

    Attributes:
        development_fold: fold of the protocol's training folds by which settings are chosen.
    """

    development_fold: str
    network: dict[str, Any]
    training: TrainingSettings
    forging: ForgingSettings
    judge: JudgeSettings


def read_settings(path: Path) -> Settings:
    """Read a config file; raises ``TypeError`` on a key that is unknown or missing."""
    table = tomllib.loads(path.read_text("utf-8"))
    return Settings(
        development_fold=table.pop("development_fold"),
        network=table.pop("network"),
        training=TrainingSettings(**table.pop("training")),
        forging=ForgingSettings(**table.pop("forging")),
        judge=JudgeSettings(**table.pop("judge")),
        **table,
    )
