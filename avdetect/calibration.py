"""Raw score to log-likelihood ratio: affine in log-odds, bounded by its evidence."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """``fake_llr = clip(scale * score + offset, -limit, limit)``.

    An affine logistic calibration (Brummer & du Preez 2006). ``limit`` keeps the claim within the
    evidence it was fitted on: n clips cannot support odds beyond about n to 1.

    Attributes:
        scale: > 0, so that the direction of scores is kept: higher = more fake.
        offset: natural-log units.
        limit: largest absolute LLR ever claimed.
    """

    scale: float
    offset: float
    limit: float

    def __post_init__(self) -> None:
        if not (self.scale > 0 and self.limit > 0 and math.isfinite(self.offset)):
            raise ValueError(f"calibration must keep the score direction: {self}")

    def fake_llr(self, score: float) -> float:
        """Calibrated natural-log likelihood ratio, > 0 favours fake."""
        return max(-self.limit, min(self.limit, self.scale * score + self.offset))


def probability(fake_llr: float, prior_fake: float) -> float:
    """Posterior ``sigmoid(fake_llr + logit(prior_fake))`` in (0, 1)."""
    log_odds = fake_llr + math.log(prior_fake / (1.0 - prior_fake))
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    odds = math.exp(log_odds)
    return odds / (1.0 + odds)
