"""Spoofing detector and speaker verifier in tandem: t-DCF, tandem EER, a-DCF.

The detector's trials come as everywhere: label 1 = fake, higher score = more fake. Scores of a
speaker verification system (ASV) are of another kind: higher = more likely the claimed speaker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from eval.metrics.ranking import TieCompat, counts_up_to, det_curve
from eval.metrics.trials import Floats, Ints, check_trials


@dataclass(frozen=True, slots=True)
class SpeakerScores:
    """Scores that accept a speaker, by what the trial truly was; higher = accept.

    Of an ASV system, or of one that also resists spoofing. Any sequence of finite numbers goes in.

    Attributes:
        target: (N,) the claimed speaker.
        nontarget: (M,) another person.
        fake: (K,) a spoof of the claimed speaker.
    """

    target: Floats
    nontarget: Floats
    fake: Floats

    def __post_init__(self) -> None:
        for name in ("target", "nontarget", "fake"):
            scores = np.asarray(getattr(self, name), np.float64)
            if scores.ndim != 1 or not scores.size or not np.isfinite(scores).all():
                raise ValueError(f"{name} scores must be one row of finite numbers, at least one")
            object.__setattr__(self, name, scores)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsvErrorRates:
    """Errors of an ASV system at its own threshold, fractions.

    Attributes:
        miss: share of targets rejected (``Pmiss_asv``).
        false_acceptance: share of nontargets accepted (``Pfa_asv``).
        fake_acceptance: share of spoofs accepted (``Pfa_spoof_asv``).
    """

    miss: float
    false_acceptance: float
    fake_acceptance: float

    def __post_init__(self) -> None:
        rates = (self.miss, self.false_acceptance, self.fake_acceptance)
        if not all(0.0 <= rate <= 1.0 for rate in rates):
            raise ValueError(f"error rates are fractions between 0 and 1: {rates}")


ASVSPOOF5_ASV = AsvErrorRates(
    miss=0.01880141010575793,
    false_acceptance=0.01881016557566423,
    fake_acceptance=0.4607082907604729,
)
"""The organisers' ASV system of ASVspoof 5 (evaluation package, ``calculate_metrics.py``)."""


def asv_error_rates(asv: SpeakerScores) -> AsvErrorRates:
    """Errors at the ASV system's EER threshold, as all ASVspoof challenges set it.

    ``compute_eer`` and ``obtain_asv_error_rates`` of the ASVspoof 2021 evaluation package.
    """
    (missed, below), thresholds = counts_up_to(asv.target, asv.nontarget)
    miss, accepted = missed / asv.target.size, (asv.nontarget.size - below) / asv.nontarget.size
    threshold = thresholds[int(np.argmin(np.abs(miss - accepted)))]
    return AsvErrorRates(
        miss=float(np.mean(asv.target < threshold)),
        false_acceptance=float(np.mean(asv.nontarget >= threshold)),
        fake_acceptance=float(np.mean(asv.fake >= threshold)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TandemCosts:
    """Priors and prices of the three kinds of trial; defaults of ASVspoof 2019 to 5.

    Attributes:
        prior_fake: probability of a spoof (``Pspoof``).
        prior_nontarget: probability of another speaker (``Pnon``); the rest are targets.
        cost_miss: price of rejecting a target (``Cmiss``).
        cost_false_acceptance: price of accepting another speaker (``Cfa``).
        cost_fake_acceptance: price of accepting a spoof (``Cfa_spoof``).
    """

    prior_fake: float = 0.05
    prior_nontarget: float = 0.0095
    cost_miss: float = 1.0
    cost_false_acceptance: float = 10.0
    cost_fake_acceptance: float = 10.0

    def __post_init__(self) -> None:
        priors = (self.prior_fake, self.prior_nontarget, self.prior_target)
        if not all(0.0 <= prior <= 1.0 for prior in priors):
            raise ValueError(f"priors must lie between 0 and 1 and sum to at most 1: {priors}")
        if min(self.cost_miss, self.cost_false_acceptance, self.cost_fake_acceptance) < 0.0:
            raise ValueError("costs must not be negative")

    @property
    def prior_target(self) -> float:
        """Probability of the claimed speaker."""
        return 1.0 - self.prior_fake - self.prior_nontarget


ASVSPOOF_COSTS = TandemCosts()


def min_tdcf(
    labels: ArrayLike,
    scores: ArrayLike,
    asv: AsvErrorRates,
    costs: TandemCosts = ASVSPOOF_COSTS,
    *,
    form: Literal["2021", "2019"] = "2021",
    compat: TieCompat | None = None,
) -> float:
    """Smallest normalised tandem detection cost of a detector in front of a fixed ASV system.

    Args:
        labels: (N,) 1 = fake.
        scores: (N,) of the detector, finite, higher = more fake.
        asv: errors of the ASV system.
        costs: priors and prices; the 2019 form reads ``cost_miss`` for both systems.
        form: ``2021`` is the ASV-constrained t-DCF (Kinnunen et al. 2020, TASLP 28), normalised by
            the better of no detector and one that blocks all, the ASV system's own cost included;
            ``2019`` the legacy form (Kinnunen et al. 2018, Odyssey; ASVspoof 2019), without it.
        compat: ``asvspoof5`` splits tied scores as the official scorers do.

    Raises:
        ValueError: as `check_trials`; an infinite score; fewer than three distinct scores (a t-DCF
            of hard decisions has no threshold to choose, and the official scorers exit there); or
            an ASV system so bad that letting anyone in is cheaper (a negative weight).
    """
    _, values = check_trials(labels, scores)
    if not np.isfinite(values).all():
        raise ValueError("t-DCF needs finite scores")
    if np.unique(values).size < 3:
        raise ValueError("t-DCF needs soft scores: fewer than three distinct ones are decisions")
    asv_cost = (
        costs.prior_target * costs.cost_miss * asv.miss
        + costs.prior_nontarget * costs.cost_false_acceptance * asv.false_acceptance
    )
    miss_weight = costs.prior_target * costs.cost_miss - asv_cost
    fake_weight = costs.prior_fake * costs.cost_fake_acceptance * asv.fake_acceptance
    blind = min(miss_weight, fake_weight)
    if miss_weight < 0.0 or blind + asv_cost <= 0.0 or (form == "2019" and blind <= 0.0):
        raise ValueError(f"t-DCF is not defined for these ASV errors and prices: {asv}")
    real_flagged, fake_passed, _ = det_curve(labels, scores, compat=compat)
    cost = miss_weight * real_flagged + fake_weight * fake_passed
    if form == "2019":
        return float(cost.min() / blind)
    return float((asv_cost + cost.min()) / (asv_cost + blind))


def a_dcf(
    scores: SpeakerScores,
    costs: TandemCosts = ASVSPOOF_COSTS,
    *,
    compat: TieCompat | None = None,
) -> float:
    """Smallest architecture-agnostic detection cost (Shim et al. 2024, Odyssey; ASVspoof 5).

    One score decides: speakers who are not the target and spoofs must both fall below it.
    Normalised by the better of accepting and rejecting everyone.

    Args:
        scores: of the whole system, higher = accept.
        costs: priors and prices.
        compat: ``asvspoof5`` passes tied scores one trial at a time: targets, then nontargets, then
            spoofs. By default only thresholds that exist are tried.
    """
    counts, _ = counts_up_to(
        scores.target, scores.nontarget, scores.fake, split_ties=compat == "asvspoof5"
    )
    missed, stopped, blocked = counts
    miss_price = costs.cost_miss * costs.prior_target
    nontarget_price = costs.cost_false_acceptance * costs.prior_nontarget
    fake_price = costs.cost_fake_acceptance * costs.prior_fake
    blind = min(miss_price, nontarget_price + fake_price)
    if blind <= 0.0:
        raise ValueError("a-DCF is not defined where accepting or rejecting everyone costs nothing")
    cost = (
        miss_price * missed / scores.target.size
        + nontarget_price * (1.0 - stopped / scores.nontarget.size)
        + fake_price * (1.0 - blocked / scores.fake.size)
    )
    return float(cost.min() / blind)


def tandem_eer(labels: ArrayLike, scores: ArrayLike, asv: SpeakerScores) -> float:
    """Concurrent tandem equal error rate (Kinnunen et al. 2023, TPAMI 45).

    The pair of thresholds at which the tandem misses targets as often as it accepts nontargets and
    as often as it accepts spoofs, so that the mix of the two attacks does not matter. Computed as
    in the ASVspoof 5 evaluation package, ``compute_teer``, which prints percent: at each ASV
    threshold the detector's threshold where tandem misses and acceptances (half nontargets, half
    spoofs) are closest; of these pairs the one where both kinds of acceptance are. Tied scores are
    passed one trial at a time, as there.

    Args:
        labels: (N,) 1 = fake; targets and nontargets are both real.
        scores: (N,) of the detector, higher = more fake.
        asv: scores of the ASV system.

    Returns:
        Share of spoofs accepted by the tandem at that pair, a fraction.

    Raises:
        ValueError: as `check_trials`.
    """
    cm_miss, cm_pass, _ = det_curve(labels, scores, compat="asvspoof5")
    (missed, stopped, caught), _ = counts_up_to(asv.target, asv.nontarget, asv.fake)
    asv_miss = missed / asv.target.size
    nontarget, spoof = 1.0 - stopped / asv.nontarget.size, 1.0 - caught / asv.fake.size
    allowed = (asv_miss < 0.5 * nontarget + 0.5 * spoof) & (spoof > 0.0)
    asv_miss, nontarget, spoof = asv_miss[allowed], nontarget[allowed], spoof[allowed]
    at = _closest_to_balance(cm_miss, cm_pass, asv_miss, nontarget, spoof)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.abs(nontarget / spoof - cm_pass[at] / (1.0 - cm_miss[at]))
    best = int(np.argmin(np.where(np.isnan(apart), np.inf, apart)))
    return float(spoof[best] * cm_pass[at[best]])


def _closest_to_balance(
    cm_miss: Floats, cm_pass: Floats, asv_miss: Floats, nontarget: Floats, spoof: Floats
) -> Ints:
    """For each ASV threshold, the first detector threshold of the smallest tandem imbalance."""

    def gap(at: Ints) -> Floats:
        heard = 1.0 - cm_miss[at]
        miss = cm_miss[at] + heard * asv_miss
        return np.asarray(miss - (0.5 * heard * nontarget + 0.5 * cm_pass[at] * spoof))

    def first_reaching(level: Floats) -> Ints:
        # The gap never falls along the thresholds, so bisection spares the whole grid of pairs.
        low, high = np.zeros(asv_miss.size, np.intp), np.full(asv_miss.size, cm_miss.size - 1)
        while (low < high).any():
            middle = (low + high) // 2
            reached = gap(middle) >= level
            low, high = np.where(reached, low, middle + 1), np.where(reached, middle, high)
        return low

    after = first_reaching(np.zeros_like(asv_miss))
    before = np.maximum(after - 1, 0)
    closest = np.where(np.abs(gap(before)) <= np.abs(gap(after)), before, after)
    return first_reaching(gap(closest))
