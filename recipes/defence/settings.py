"""Settings of the defence recipe, typed; an unknown key is refused."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avdetect.nn.identity_encoder import IdentityConfig
from avdetect.nn.speaker_encoder import SpeakerConfig

RUNS = Path(__file__).resolve().parents[2] / "runs" / "defence"
CONFIG = Path(__file__).with_name("config.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceTraining:
    """The ``[identity]`` and ``[swapper]`` tables."""

    n_steps: int
    batch: int
    learning_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySettings:
    """One identity encoder: its name, seed and sizes."""

    name: str
    seed: int
    network: IdentityConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceTraining:
    """The ``[voices]`` table."""

    seed: int
    n_steps: int
    speakers_per_batch: int
    stretch_s: float
    learning_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerSettings:
    """One speaker encoder."""

    name: str
    seed: int
    network: SpeakerConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole file; ``unseen`` ones are measured on alone."""

    identity: FaceTraining
    swapper: FaceTraining
    surrogates: tuple[IdentitySettings, ...]
    unseen: tuple[IdentitySettings, ...]
    judge: IdentitySettings
    voices: VoiceTraining
    speaker_surrogates: tuple[SpeakerSettings, ...]
    speaker_unseen: tuple[SpeakerSettings, ...]


def read_settings(path: Path = CONFIG) -> Settings:
    """Read a config file; raises ``TypeError`` on a key that is not known or missing."""
    table = tomllib.loads(path.read_text("utf-8"))
    return Settings(
        identity=FaceTraining(**table["identity"]),
        swapper=FaceTraining(**table["swapper"]),
        surrogates=tuple(_identity(one) for one in table["surrogates"]),
        unseen=tuple(_identity(one) for one in table["unseen"]),
        judge=_identity(table["judge"]),
        voices=VoiceTraining(**table["voices"]),
        speaker_surrogates=tuple(_speaker(one) for one in table["speaker_surrogates"]),
        speaker_unseen=tuple(_speaker(one) for one in table["speaker_unseen"]),
    )


def _identity(table: dict[str, Any]) -> IdentitySettings:
    network = IdentityConfig.from_table(table.pop("network"))
    return IdentitySettings(**table, network=network)


def _speaker(table: dict[str, Any]) -> SpeakerSettings:
    network = SpeakerConfig.from_table(table.pop("network"))
    return SpeakerSettings(**table, network=network)
