"""A face track over about a second to one score: jitter, drift of identity, flicker of the mouth.

Frames are forged one by one, so what differs between neighbours, and from the mean of the stretch,
is what a single frame cannot show. Frames come with their times: a slow or uneven frame rate is
a matter of gaps, never of frame numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from avdetect.nn.shapes import check_shape

_TIME_WAVES = 8
_LONGEST_S = 4.0  # period of the slowest wave; each next one is twice as fast


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalConfig:
    """Sizes of `TemporalHead`; the ``[config.temporal]`` table of a card.

    Attributes:
        width: of the frames within the head.
        depth: attention blocks.
        heads: attention heads.
        dropout: in training only.
    """

    width: int = 64
    depth: int = 2
    heads: int = 4
    dropout: float = 0.2


class Stretch(NamedTuple):
    """B stretches of T places on the frame clock; what is not ``present`` is not looked at.

    Attributes:
        tokens: (B, T, D) of the frame network.
        scores: (B, T) of the frame network.
        motion: (B, T, M) where the face and its parts are, see `avdetect.faces.motion`.
        times_s: (B, T) presentation time of each frame, seconds from anywhere.
        present: (B, T) bool, False where there is no face or no new picture.
    """

    tokens: Tensor
    scores: Tensor
    motion: Tensor
    times_s: Tensor
    present: Tensor


class TemporalHead(nn.Module):
    """`Stretch` to log-odds that add to the frames' score; a new one adds nothing.

    Args:
        token_width: D.
        motion_width: M.
        config: sizes.
    """

    def __init__(self, token_width: int, motion_width: int, config: TemporalConfig) -> None:
        super().__init__()
        n_features = token_width + 1 + motion_width
        self._layout = (token_width, motion_width)
        self.register_buffer("centre", torch.zeros(n_features))
        self.register_buffer("spread", torch.ones(n_features))
        self.enter = nn.Linear(3 * n_features + 1 + 2 * _TIME_WAVES, config.width)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.depth))
        self.drop = nn.Dropout(config.dropout)
        self.score = nn.Linear(2 * config.width, 1)
        nn.init.zeros_(self.score.weight)
        nn.init.zeros_(self.score.bias)

    def forward(self, stretch: Stretch) -> Tensor:
        """Judge stretches.

        Returns:
            (B,) what to add to the frames' score; 0 where no frame is present.

        Raises:
            ShapeError: if the parts of the stretch do not fit together.
        """
        self._check(stretch)
        present = stretch.present
        x = self.drop(self.enter(self._described(stretch)))
        for block in self.blocks:
            x = block(x, present)
        mean, deviation = _statistics(x, present)
        said: Tensor = self.score(self.drop(torch.cat([mean, deviation], 1))).squeeze(-1)
        return said * present.any(1)

    def standardise(self, stretch: Stretch) -> None:
        """Take the features' centre and spread from training stretches; call once, before."""
        features = _features(stretch)[stretch.present]
        centre, spread = features.mean(0), features.std(0).clamp_min(1e-3)
        self.load_state_dict({"centre": centre, "spread": spread}, strict=False)

    def _described(self, stretch: Stretch) -> Tensor:
        """What a frame is, how it differs from the stretch and from the frame before; when."""
        present, times = stretch.present, stretch.times_s
        assert isinstance(self.centre, Tensor)
        assert isinstance(self.spread, Tensor)
        x = (_features(stretch) - self.centre) / self.spread
        x = x.clamp(-8.0, 8.0) * present[..., None]
        mean, _ = _statistics(x, present)
        before, known = _place_before(present)
        change = x - x.gather(1, before[..., None].expand_as(x))
        gap = (times - times.gather(1, before)) * known
        since = times - torch.where(present, times, torch.inf).amin(1, keepdim=True)
        since = torch.where(present, since, torch.zeros_like(since))
        parts = [x, x - mean[:, None], change * known[..., None], gap[..., None], _waves(since)]
        return torch.cat(parts, -1) * present[..., None]

    def _check(self, stretch: Stretch) -> None:
        n, length = stretch.scores.shape
        token_width, motion_width = self._layout
        check_shape(stretch.tokens, f"{n} {length} {token_width}", "tokens")
        check_shape(stretch.motion, f"{n} {length} {motion_width}", "motion")
        check_shape(stretch.times_s, f"{n} {length}", "times_s")
        check_shape(stretch.present, f"{n} {length}", "present")


class _Block(nn.Module):
    """Pre-norm attention over the frames that are present, then a small network on each."""

    def __init__(self, config: TemporalConfig) -> None:
        super().__init__()
        width = config.width
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(
            width, config.heads, dropout=config.dropout, batch_first=True
        )
        self.mix = nn.Sequential(
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(2 * width, width),
        )

    def forward(self, x: Tensor, present: Tensor) -> Tensor:
        hidden = ~present & present.any(1, keepdim=True)  # hiding all would give no number
        y = self.norm1(x)
        x = x + self.attention(y, y, y, key_padding_mask=hidden, need_weights=False)[0]
        mixed: Tensor = x + self.mix(self.norm2(x))
        return mixed


def _features(stretch: Stretch) -> Tensor:
    return torch.cat([stretch.tokens, stretch.scores[..., None], stretch.motion], -1)


def _place_before(present: Tensor) -> tuple[Tensor, Tensor]:
    """For each place the last present one before it (itself where none is), and whether one is."""
    places = torch.arange(present.shape[1], device=present.device).expand_as(present)
    last = torch.where(present, places, -1).cummax(1).values
    before = torch.cat([torch.full_like(last[:, :1], -1), last[:, :-1]], 1)
    known = (before >= 0) & present
    return torch.where(known, before, places), known


def _statistics(x: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
    weight = present[..., None].to(x.dtype)
    n = weight.sum(1).clamp_min(1.0)
    mean = (x * weight).sum(1) / n
    variance = ((x - mean[:, None]).square() * weight).sum(1) / n
    return mean, (variance + 1e-5).sqrt()


def _waves(since_s: Tensor) -> Tensor:
    rates = 2.0 ** torch.arange(_TIME_WAVES, device=since_s.device) * (2 * torch.pi / _LONGEST_S)
    phase = since_s[..., None] * rates
    return torch.cat([phase.sin(), phase.cos()], -1)
