"""Settings of the tracing recipe, typed; an unknown key is refused."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.tracing.picture_training import PictureTraining

RUNS = Path(__file__).resolve().parents[2] / "runs" / "tracing"
CONFIG = Path(__file__).with_name("config.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplicitSettings:
    """The ``[explicit]`` table: heads on residual spectra."""

    ridge: float
    design_ridge: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceSettings:
    """The ``[voice]`` table."""

    ridge: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole file; ``network`` is a `FingerprintConfig` without ``n_sources``."""

    network: dict[str, Any]
    picture: PictureTraining
    explicit: ExplicitSettings
    voice: VoiceSettings


def read_settings(path: Path = CONFIG) -> Settings:
    """Read a config file; raises ``TypeError`` on a key that is not known or missing."""
    table = tomllib.loads(path.read_text("utf-8"))
    return Settings(
        network=table.pop("network"),
        picture=PictureTraining(**table.pop("picture")),
        explicit=ExplicitSettings(**table.pop("explicit")),
        voice=VoiceSettings(**table.pop("voice")),
        **table,
    )
