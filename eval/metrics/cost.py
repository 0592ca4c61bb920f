"""What decisions cost at a named operating point: minDCF and actDCF."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from eval.metrics.ranking import TieCompat, det_curve
from eval.metrics.trials import Floats, split_classes


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """Prior and prices, in the words of ASVspoof.

    Attributes:
        prior_fake: probability that a trial is fake (``Pspoof``).
        cost_miss: price of rejecting a real trial (``Cmiss``).
        cost_false_acceptance: price of passing a fake one (``Cfa``).
    """

    prior_fake: float = 0.05
    cost_miss: float = 1.0
    cost_false_acceptance: float = 10.0

    def __post_init__(self) -> None:
        if not 0.0 < self.prior_fake < 1.0:
            raise ValueError(f"prior_fake must lie between 0 and 1: {self.prior_fake}")
        if not (0.0 < self.cost_miss < math.inf and 0.0 < self.cost_false_acceptance < math.inf):
            raise ValueError("costs must be positive and finite")

    @property
    def threshold_llr(self) -> float:
        """The ``fake_llr`` above which rejecting is the cheaper decision (Bayes)."""
        return math.log(self._weight_miss / self._weight_false_acceptance)

    @property
    def _weight_miss(self) -> float:
        return self.cost_miss * (1.0 - self.prior_fake)

    @property
    def _weight_false_acceptance(self) -> float:
        return self.cost_false_acceptance * self.prior_fake

    def normalised_cost(self, real_flagged: Floats, fake_passed: Floats) -> Floats:
        """Expected cost over that of the better blind decision; 1 is a useless detector.

        Args:
            real_flagged: share of real trials rejected, any shape.
            fake_passed: share of fake trials passed, same shape.
        """
        expected = self._weight_miss * real_flagged + self._weight_false_acceptance * fake_passed
        return expected / min(self._weight_miss, self._weight_false_acceptance)


ASVSPOOF5_POINT = OperatingPoint()


def min_dcf(
    labels: ArrayLike,
    scores: ArrayLike,
    point: OperatingPoint = ASVSPOOF5_POINT,
    *,
    compat: TieCompat | None = None,
) -> float:
    """Smallest normalised detection cost over all thresholds (ASVspoof 5 plan, Wang et al. 2024).

    By default only thresholds that exist are tried (tied scores fall on one side); with
    ``compat="asvspoof5"`` ties are split as in `eval.metrics.det_curve`.
    """
    real_flagged, fake_passed, _ = det_curve(labels, scores, compat=compat)
    return float(point.normalised_cost(real_flagged, fake_passed).min())


def act_dcf(labels: ArrayLike, llrs: ArrayLike, point: OperatingPoint = ASVSPOOF5_POINT) -> float:
    """Normalised detection cost at the Bayes threshold, scores taken as natural-log LLRs.

    ASVspoof 5 evaluation plan (Wang et al. 2024); at the default point the threshold is
    ``fake_llr`` 0.641854.
    """
    fake, real = split_classes(labels, llrs)
    real_flagged = np.asarray(np.mean(real > point.threshold_llr))
    fake_passed = np.asarray(np.mean(fake <= point.threshold_llr))
    return float(point.normalised_cost(real_flagged, fake_passed))
