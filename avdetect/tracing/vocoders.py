"""Kinds of waveform generators that voices are traced to, ``vocoders.toml``."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

HUMAN = "human"  # the source of a voice that no generator made
_TABLE = Path(__file__).with_name("vocoders.toml")
_TITLES = {
    HUMAN: "human (no generator's trace found)",
    "parametric": "source-filter vocoder (WORLD, MLSA)",
    "griffin_lim": "Griffin-Lim phase reconstruction",
    "autoregressive": "autoregressive vocoder (WaveNet, WaveRNN)",
    "flow": "flow vocoder (WaveGlow, WaveFlow)",
    "gan": "adversarial vocoder (MelGAN, HiFi-GAN and kin)",
    "diffusion": "diffusion vocoder (WaveGrad, DiffWave)",
    "istft": "inverse-Fourier vocoder (Vocos, iSTFTNet)",
    "codec": "neural codec decoder (EnCodec and kin)",
}


@lru_cache(maxsize=1)
def vocoder_families() -> dict[str, dict[str, str]]:
    """Family -> generator -> where that is from."""
    return dict(tomllib.loads(_TABLE.read_text("utf-8")))


@lru_cache(maxsize=256)
def family_of(generator: str) -> str | None:
    """The family that makes a generator's samples, None where it is not established."""
    return next((f for f, of in vocoder_families().items() if generator in of), None)


def title_of(family: str) -> str:
    """A family in words."""
    return _TITLES.get(family, family)
