"""Small speaker encoders: spectral features to a vector that says who speaks.

Two kinds, so that what fools one need not be a quirk of it: convolutions over time with all bands
as channels (x-vectors, Snyder et al. 2018), and convolutions over the picture of bands and time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avdetect.nn.residual import Residual1d, Residual2d, conv_unit
from avdetect.nn.shapes import check_shape

_DILATIONS = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerConfig:
    """Shape of a `SpeakerEncoder` and what it reads; one table of a shield's ``[config]``.

    Attributes:
        features: what it reads; see `avdetect.defence.speaker_features`.
        n_features: rows of that.
        kind: ``time`` or ``picture``.
        width: channels.
        embedding: length of the vector.
    """

    features: str = "log_mel"
    n_features: int = 64
    kind: str = "time"
    width: int = 128
    embedding: int = 96

    @staticmethod
    def from_table(table: Mapping[str, Any]) -> SpeakerConfig:
        """Read a table of a card; raises ``TypeError`` on a key that is not known."""
        return SpeakerConfig(**table)


class SpeakerEncoder(nn.Module):
    """Features of an utterance to a vector of length 1."""

    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        self.config = config
        build = {"time": _over_time, "picture": _over_picture}[config.kind]
        self.body, n_out = build(config.n_features, config.width)
        self.out = nn.Sequential(nn.BatchNorm1d(2 * n_out), nn.Linear(2 * n_out, config.embedding))

    def forward(self, features: Tensor) -> Tensor:
        """Embed.

        Args:
            features: (B, F, T) of speech; each row loses its mean: a line's colour is no voice.

        Returns:
            (B, embedding) of length 1.

        Raises:
            ShapeError: on any other shape.
        """
        check_shape(features, f"B {self.config.n_features} T", "features")
        centred = features - features.mean(2, keepdim=True)
        maps = self.body(centred if self.config.kind == "time" else centred[:, None])
        rows = maps if maps.dim() == 3 else maps.flatten(1, 2)
        deviation = rows.var(2, unbiased=False).add(1e-5).sqrt()
        return F.normalize(cast(Tensor, self.out(torch.cat([rows.mean(2), deviation], 1))))


def _over_time(n_features: int, width: int) -> tuple[nn.Module, int]:
    layers = [conv_unit(n_features, width, 5, 1)]
    body = nn.Sequential(
        *layers, *(Residual1d(width, d) for d in _DILATIONS), conv_unit(width, width * 3 // 2, 1, 1)
    )
    return body, width * 3 // 2


def _over_picture(n_features: int, width: int) -> tuple[nn.Module, int]:
    widths = (width // 4, width // 4, width // 2, width)
    body = nn.Sequential(
        nn.Conv2d(1, widths[0], 3, (2, 1), 1, bias=False),
        nn.BatchNorm2d(widths[0]),
        nn.ReLU(),
        *(Residual2d(a, b, (2, 2)) for a, b in pairwise(widths)),
    )
    n_rows = n_features
    for _ in widths:
        n_rows = -(-n_rows // 2)
    return body, widths[-1] * n_rows
