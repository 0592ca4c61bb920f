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
    pretrained: bool = False
    encoder_rate: float = 1.0
    poor_share: float = 0.0
    moving_share: float = 0.0
    light_share: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AdversarialSettings:
    """The ``[adversarial]`` table: faces are attacked before the network learns from them.

    Attributes:
        share: of the pairs that are attacked.
        epsilon: largest change of a pixel, in [0, 1].
        steps: of the attack; 1 is fast adversarial training (Wong et al. 2020), more is PGD.
    """

    share: float
    epsilon: float
    steps: int

    def __post_init__(self) -> None:
        if not (0.0 < self.share <= 1.0 and 0.0 < self.epsilon < 1.0 and self.steps >= 1):
            raise ValueError(f"adversarial training makes no sense so: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole file; without ``[adversarial]`` faces come as they are."""

    network: FaceConfig
    training: TrainingSettings
    kinds: dict[str, float]
    adversarial: AdversarialSettings | None = None


def read_settings(path: Path) -> Settings:
    """Read a config file; raises ``TypeError`` on a key that is not known or missing."""
    table = tomllib.loads(path.read_text("utf-8"))
    adversarial = table.pop("adversarial", None)
    return Settings(
        network=read_face_config(table.pop("network")),
        training=TrainingSettings(**table.pop("training")),
        adversarial=AdversarialSettings(**adversarial) if adversarial is not None else None,
        **table,
    )
