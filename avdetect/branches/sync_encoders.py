"""Encoders of the lip-sync branch: what a checkpoint's ``encoder`` may name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from avdetect.errors import CheckpointError
from avdetect.nn.sync_encoder import SyncEncoder, SyncNet

Config = Mapping[str, Any]


def _small(config: Config) -> SyncNet:
    return SyncEncoder(
        mouth_width=int(config["mouth_width"]),
        speech_width=int(config["speech_width"]),
        embedding=int(config["embedding"]),
    )


def _av_hubert(config: Config) -> SyncNet:
    from avdetect.nn.av_hubert import AvHubertSettings
    from avdetect.nn.av_hubert_sync import AvHubertSync

    sizes = dict(config["av_hubert"])
    settings = AvHubertSettings(**{**sizes, "mouth_widths": tuple(sizes["mouth_widths"])})
    return AvHubertSync(settings, int(config["embedding"]))


ENCODERS: dict[str, Callable[[Config], SyncNet]] = {"small": _small, "av_hubert": _av_hubert}


def build_encoder(config: Config) -> SyncNet:
    """The untrained encoder of a config.

    Args:
        config: ``encoder`` (of `ENCODERS`; "small" where absent) and ``embedding``; for "small"
            ``mouth_width`` and ``speech_width``, for "av_hubert" a table ``av_hubert`` as
            `avdetect.nn.av_hubert.AvHubertSettings`.

    Raises:
        CheckpointError: if the encoder is unknown.
        KeyError: if a size is missing.
        TypeError: if the table holds a size of another name.
        ValueError: if sizes do not go together.
    """
    name = config.get("encoder", "small")
    if name not in ENCODERS:
        raise CheckpointError(f"encoder {name!r}: want one of {', '.join(ENCODERS)}")
    return ENCODERS[name](config)
