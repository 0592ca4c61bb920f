"""The one list of vocoders, and how a network table becomes one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from recipes.forge.neural.codec_net import CodecSettings, CodecVocoder
from recipes.forge.neural.istft_net import IstftSettings, IstftVocoder
from recipes.forge.neural.upsampling_net import UpsamplingSettings, UpsamplingVocoder
from recipes.forge.neural.vocoder import Vocoder

NETWORKS: dict[str, Callable[[dict[str, Any]], Vocoder]] = {
    "istft": lambda table: IstftVocoder(IstftSettings(**table)),
    "upsampling": lambda table: UpsamplingVocoder(UpsamplingSettings(**table)),
    "codec": lambda table: CodecVocoder(CodecSettings(**table)),
}


def build_vocoder(network: Mapping[str, Any]) -> Vocoder:
    """A vocoder with fresh weights.

    Args:
        network: ``kind`` (a key of `NETWORKS`) and that kind's settings.

    Raises:
        KeyError: there is no such kind.
        TypeError: a setting is unknown or missing.
    """
    table = dict(network)
    return NETWORKS[table.pop("kind")](table)
