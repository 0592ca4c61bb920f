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

    @classmethod
    def at_costs(cls, *, false_alarm_cost: float, miss_cost: float) -> DecisionRule:
        """The rule of least expected cost where a second look may be asked for (Chow 1970).

        Calling a clip fake risks ``P(real) * false_alarm_cost``, which is below the one second look
        that abstaining costs from odds of ``false_alarm_cost - 1`` on; likewise for real.

        Args:
            false_alarm_cost: of calling a real clip fake, in second looks.
            miss_cost: of calling a fake clip real, in second looks.

        Raises:
            ValueError: if either costs no more than one second look, or both so little that nobody
                would ever ask for one.
        """
        fake_odds, real_odds = false_alarm_cost - 1.0, miss_cost - 1.0
        if not (fake_odds > 0.0 and real_odds > 0.0 and fake_odds * real_odds >= 1.0):
            raise ValueError(
                f"costs of {false_alarm_cost} for a false alarm and {miss_cost} for a miss, in "
                "second looks, leave no room for a second look: both must be dearer"
            )
        return cls(fake_log_odds=math.log(fake_odds), real_log_odds=math.log(real_odds))

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
