"""Raw score to log-likelihood ratio: affine in log-odds, bounded by evidence and by the unknown."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """``fake_llr = log((1 - unknown) * exp(clip(scale * score + offset)) + unknown)``.

    An affine logistic calibration (Brummer & du Preez 2006). ``limit`` keeps the claim within the
    evidence it was fitted on: n clips cannot support odds beyond about n to 1.

    Fakes to come are by generators that nothing was fitted on. ``unknown`` is the share of them
    that is taken to score as genuine recordings do: however genuine a clip looks, its likelihood as
    a fake is that share of its likelihood as genuine at least, and no LLR lies below its logarithm.

    Attributes:
        scale: > 0, so that the direction of scores is kept: higher = more fake.
        offset: natural-log units.
        limit: largest absolute LLR ever claimed.
        unknown: share of fakes that cannot be told from genuine clips, 0 <= unknown < 1.
    """

    scale: float
    offset: float
    limit: float
    unknown: float = 0.0

    def __post_init__(self) -> None:
        if not (self.scale > 0 and self.limit > 0 and math.isfinite(self.offset)):
            raise ValueError(f"calibration must keep the score direction: {self}")
        if not 0.0 <= self.unknown < 1.0:
            raise ValueError(f"a share of fakes lies between 0 and 1: {self}")

    def fake_llr(self, score: float) -> float:
        """Calibrated natural-log likelihood ratio, > 0 favours fake."""
        return self.with_unknown(self.known_llr(score))

    def known_llr(self, score: float) -> float:
        """What the score would say if all fakes were of the generators at hand."""
        return max(-self.limit, min(self.limit, self.scale * score + self.offset))

    def with_unknown(self, known_llr: float) -> float:
        """The LLR of `fake_llr` from that of `known_llr`."""
        if self.unknown == 0.0:
            return known_llr
        return known_llr + math.log((1.0 - self.unknown) + self.unknown * math.exp(-known_llr))

    def without_unknown(self, fake_llr: float) -> float:
        """The inverse of `with_unknown`; minus infinity at its bound and below."""
        rest = math.exp(fake_llr) - self.unknown
        return math.log(rest / (1.0 - self.unknown)) if rest > 0 else -math.inf


def probability(fake_llr: float, prior_fake: float) -> float:
    """Posterior ``sigmoid(fake_llr + logit(prior_fake))`` in (0, 1)."""
    log_odds = fake_llr + math.log(prior_fake / (1.0 - prior_fake))
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    odds = math.exp(log_odds)
    return odds / (1.0 + odds)
