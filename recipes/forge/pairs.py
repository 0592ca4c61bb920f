"""A human clip and its fake, through the same channel, drawn on the fly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avdetect.channels.chain import Channel
from avdetect.channels.codecs import Waveform
from avdetect.channels.training_chain import training_channel
from recipes.forge.kinds import FAMILIES, SLOW, Forge, neural_kinds
from recipes.forge.neural.settings import RUNS
from recipes.forge.text_to_speech import synthesiser_kinds

Families = Mapping[str, Mapping[str, Forge]]
NEURAL, SPOKEN = "neural", "text to speech"
# Today's generators end in a neural vocoder; rule-based synthesisers nobody clones with.
SHARES = {
    "world": 1.0,
    "mel inversion": 2.0,
    "linear prediction": 1.0,
    "conversion": 1.5,
    "quantised": 1.0,
    NEURAL: 4.0,
    SPOKEN: 0.3,
}
_SLOW_SHARE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two clips that differ in the forgery alone.

    Attributes:
        original: (S,) float32 at 16 kHz, a human clip behind the channel.
        twin: (S,) float32, the fake behind the very same channel.
        kind: what forged it.
        is_twin: the fake says the same words in about the same voice; False for text-to-speech,
            which must not be paired with its original.
        channel: the channel's steps, by name.
    """

    original: Waveform
    twin: Waveform
    kind: str
    is_twin: bool
    channel: tuple[str, ...]


def available_families(
    folder: Path = RUNS, *, least_step: int = 0, spoken: bool = True
) -> dict[str, dict[str, Forge]]:
    """All kinds that can be forged here, by family.

    Args:
        folder: where trained vocoders lie.
        least_step: vocoders of earlier steps are left out.
        spoken: also the text-to-speech engines that are installed.
    """
    more = {
        NEURAL: neural_kinds(folder, least_step=least_step),
        SPOKEN: synthesiser_kinds() if spoken else {},
    }
    return FAMILIES | {family: kinds for family, kinds in more.items() if kinds}


class TwinMaker:
    """Draws a family, a kind of it and a channel, and forges.

    Args:
        families: kinds by family, such as `available_families`; to hold a family or a kind out,
            leave it out.
        draw_channel: draws what both go through.
    """

    def __init__(
        self,
        families: Families,
        draw_channel: Callable[[np.random.Generator], Channel] = training_channel,
    ) -> None:
        self._families, self._draw_channel = families, draw_channel
        shares = np.array([SHARES[family] for family in families])
        self._shares = shares / shares.sum()

    def __call__(self, clip: Waveform, rng: np.random.Generator) -> Pair:
        """Forge (S,) float32 at 16 kHz; the same generator state gives the same pair."""
        family, kind = self.draw_kind(rng)
        fake = self._families[family][kind](clip, rng)
        channel = self._draw_channel(rng)
        return Pair(
            original=channel(clip),
            twin=channel(fake),
            kind=kind,
            is_twin=family != SPOKEN,
            channel=channel.names,
        )

    def draw_kind(self, rng: np.random.Generator) -> tuple[str, str]:
        """A family by its share, then one of its kinds; slow ones four times rarer.

        The steps and bit rates of one trained vocoder share what one kind gets.
        """
        family = list(self._families)[int(rng.choice(len(self._shares), p=self._shares))]
        kinds = list(self._families[family])
        trainings = [kind.partition("@")[0] for kind in kinds]
        share = [_SLOW_SHARE if kind in SLOW else 1.0 for kind in kinds]
        weights = np.array(share) / [trainings.count(name) for name in trainings]
        return family, kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
