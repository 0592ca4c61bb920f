"""Settings of a vocoder's training, typed; an unknown or missing key is refused."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUNS = Path(__file__).resolve().parents[3] / "runs" / "forge_neural"
CONFIGS = Path(__file__).resolve().parent / "configs"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """The ``[training]`` table.

    Attributes:
        seed: of weights and crops.
        held_out_folds: of the protocol ``voice``; their clips are never heard.
        n_steps: to the end of the learning rate's half cosine.
        warm_up_steps: with the spectral loss alone, before the discriminators come in.
        save_every: steps between two kept vocoders.
        batch_size: crops.
        crop_samples: length of a crop.
        learning_rate: of the vocoder at the start.
        judge_learning_rate: of the discriminators at the start.
        mel_weight: of the log-mel loss.
        stft_weight: of the multi-resolution STFT loss.
        deceive_weight: of deceiving the discriminators.
        feature_weight: of matching their features.
    """

    seed: int
    held_out_folds: list[str]
    n_steps: int
    warm_up_steps: int
    save_every: int
    batch_size: int
    crop_samples: int
    learning_rate: float
    judge_learning_rate: float
    mel_weight: float
    stft_weight: float
    deceive_weight: float
    feature_weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole file; ``network`` goes into every kept vocoder as it is."""

    network: dict[str, Any]
    training: TrainingSettings


def read_settings(path: Path) -> Settings:
    """Read ``training.toml`` beside the config, then the config, whose ``[training]`` overrides.

    Raises:
        TypeError: on a key that is unknown or missing.
    """
    shared = tomllib.loads((path.parent / "training.toml").read_text("utf-8"))
    table = tomllib.loads(path.read_text("utf-8"))
    training = TrainingSettings(**{**shared, **table.pop("training", {})})
    return Settings(network=table.pop("network"), training=training, **table)
