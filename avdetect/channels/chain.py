"""A random way from mouth to file, drawn once and sent through by twin and original alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from avdetect.channels import degrade
from avdetect.channels.codecs import Waveform, through_codec

_TELEPHONE = ("ulaw", "alaw", "amr_4.75", "amr_7.4", "amr_12.2", "opus_6", "g722")
# Frozen: what is drawn for a seed must not change when the table of codecs grows.
_FILES = (
    "opus_12", "opus_16", "opus_24", "mp3_24", "mp3_32", "mp3_64", "aac_24", "aac_48",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Steps in order; the seed makes every random step the same for twin and original.

    Attributes:
        names: what happens, for tables and logs.
        steps: the operations, each (S,) to (S,).
    """

    names: tuple[str, ...]
    steps: tuple[Callable[[Waveform], Waveform], ...]

    def __call__(self, waveform: Waveform) -> Waveform:
        """Send (S,) float32 at 16 kHz through all steps; length and clock are kept."""
        for step in self.steps:
            waveform = step(waveform)
        return waveform


def random_channel(rng: np.random.Generator) -> Channel:
    """Draw a channel: perhaps a room and noise, then a file codec, a phone line, or both."""
    named: list[tuple[str, Callable[[Waveform], Waveform]]] = []
    seed = int(rng.integers(2**31))
    if rng.random() < 0.25:
        named.append(("room", partial(_room, rng.uniform(0.15, 0.7), rng.uniform(0.3, 3.0), seed)))
    if rng.random() < 0.3:
        named.append(("noise", partial(_noise, rng.uniform(10, 35), rng.uniform(0, 2), seed)))
    if rng.random() < 0.1:
        named.append(("clipping", partial(degrade.clip_peaks, share=rng.uniform(0.0005, 0.01))))
    if rng.random() < 0.6:
        named.append(_codec(str(rng.choice(_FILES))))
    if rng.random() < 0.5:
        if rng.random() < 0.5:
            named.append(("narrow band", degrade.narrow_band))
        if rng.random() < 0.3:
            named.append(("telephone band", degrade.telephone_band))
        named.append(_codec(str(rng.choice(_TELEPHONE))))
        if rng.random() < 0.2:
            named.append(("loss", partial(_loss, rng.uniform(0.01, 0.08), seed)))
    return Channel(names=tuple(n for n, _ in named), steps=tuple(step for _, step in named))


def _codec(name: str) -> tuple[str, Callable[[Waveform], Waveform]]:
    return name, partial(through_codec, name=name)


def _room(t60_s: float, distance_m: float, seed: int, waveform: Waveform) -> Waveform:
    return degrade.reverberate(waveform, t60_s, distance_m, np.random.default_rng(seed))


def _noise(snr_db: float, colour: float, seed: int, waveform: Waveform) -> Waveform:
    return degrade.add_noise(waveform, snr_db, colour, np.random.default_rng(seed))


def _loss(loss: float, seed: int, waveform: Waveform) -> Waveform:
    return degrade.lose_packets(waveform, loss, 2.0, np.random.default_rng(seed))
