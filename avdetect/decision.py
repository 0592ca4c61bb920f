"""From evidence to a decision: parts combined, prior applied, and the band in which we abstain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from avdetect.types import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRule:
    """When a posterior is firm enough to be called.

    Saying fake of what is real costs more than asking for a second look, so the two need not be
    alike; between them a clip is ``inconclusive``.

    Attributes:
        fake_log_odds: posterior log-odds from which a clip is called fake.
        real_log_odds: log-odds against a fake from which it is called real.
    """

    fake_log_odds: float = 0.1
    real_log_odds: float = 0.1

    def decide(self, fake_llr: float | None, prior_fake: float) -> Decision:
        """Decision at a stated prior; no evidence is ``inconclusive``."""
        if fake_llr is None:
            return Decision.INCONCLUSIVE
        log_odds = fake_llr + math.log(prior_fake / (1.0 - prior_fake))
        if log_odds >= self.fake_log_odds:
            return Decision.FAKE
        return Decision.REAL if log_odds <= -self.real_log_odds else Decision.INCONCLUSIVE

    def margin(self, decision: Decision, log_odds: float) -> float:
        """By how much posterior log-odds clear what a decision, fake or real, asks for."""
        if decision is Decision.FAKE:
            return log_odds - self.fake_log_odds
        return -log_odds - self.real_log_odds


def combine_parts(fake_llrs: Sequence[float]) -> float | None:
    """LLR that one of several parts is fake, none of them favoured beforehand.

    The mean of the likelihood ratios: the worst part rules, less at most ln n for having had n
    chances of a false alarm. None for no parts.
    """
    if not fake_llrs:
        return None
    worst = max(fake_llrs)
    return worst + math.log(math.fsum(math.exp(x - worst) for x in fake_llrs) / len(fake_llrs))
