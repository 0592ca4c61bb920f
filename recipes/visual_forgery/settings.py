"""Settings of the visual-forgery recipe, typed; an unknown key is refused."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from avdetect.nn.face_network import FaceConfig, read_face_config

RUNS = Path(__file__).resolve().parents[2] / "runs" / "visual_forgery"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """The ``[training]`` table; see the comments of ``config.toml``."""

    seed: int
    n_steps: int
    pairs_per_batch: int
    learning_rate: float
    weight_decay: float
    decay_share: float
    average: float
    mask_weight: float
    rank_weight: float
    workers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole file."""

    network: FaceConfig
    training: TrainingSettings
    kinds: dict[str, float]


def read_settings(path: Path) -> Settings:
    """Read a config file; raises ``TypeError`` on a key that is not known or missing."""
    table = tomllib.loads(path.read_text("utf-8"))
    return Settings(
        network=read_face_config(table.pop("network")),
        training=TrainingSettings(**table.pop("training")),
        **table,
    )
