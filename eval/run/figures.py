"""Figures of one contender over some rows, JSON-ready; fractions, null where not defined."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from eval import metrics
from eval.bootstrap import Metric, auc_draws, bootstrap_intervals, central_95
from eval.manifest.row import ManifestRow
from eval.metrics import OperatingPoint
from eval.run.contenders import Contender
from eval.score_file import ScoredTrials
from eval.summary import metric_table

Figures = dict[str, Any]

FALSE_ALARMS_OF_A_BANK = 0.01
# A calibrated LLR exceeds ln k on at most one real clip in k (Markov: the mean likelihood ratio of
# real clips is 1), so this threshold is known before any clip is scored.
BANK_LLR = math.log(1.0 / FALSE_ALARMS_OF_A_BANK)


def whole_figures(
    contender: Contender, rows: Sequence[ManifestRow], point: OperatingPoint, *, n_draws: int
) -> Figures:
    """Every figure of a contender over a whole population.

    ``auc_abstained_as_0`` counts clips that could not be judged as LLR 0, so that a detector cannot
    win by declining the hard ones; null where the scores are no LLRs.
    """
    trials = contender.trials(rows)
    table = metric_table(point, as_llr=contender.is_llr)
    figures = counts(contender, rows) | _measured(trials, table, n_draws)
    figures["auc_abstained_as_0"] = None
    if contender.is_llr:
        every = contender.trials(rows, abstained=0.0)
        figures["auc_abstained_as_0"] = _defined(metrics.auc, every)
    figures["operating_points"] = _operating_points(contender, rows, point)
    figures["looks_reversed"] = looks_reversed(figures)
    return figures | {"kind": contender.kind, "truth": contender.question.truth}


def part_figures(
    contender: Contender,
    rows: Sequence[ManifestRow],
    thresholds: dict[str, float],
    point: OperatingPoint,
    *,
    n_draws: int,
) -> Figures:
    """Counts, AUC, EER and Cllr of a part of a population, and errors at the whole's thresholds.

    Args:
        contender: whose scores.
        rows: of the part.
        thresholds: name -> score above which a clip is flagged, from `pooled_thresholds`.
        point: prices of the cost at each of them.
        n_draws: bootstrap draws.
    """
    trials = contender.trials(rows)
    figures = counts(contender, rows) | {
        "auc": _defined(metrics.auc, trials),
        "eer": _defined(metrics.eer, trials),
        "min_cllr": _defined(metrics.min_cllr, trials),
        "cllr": _defined(metrics.cllr, trials) if contender.is_llr else None,
        "intervals": {"auc": auc_interval(trials, n_draws)},
    }
    figures["at"] = {
        name: errors_at(trials, threshold, point) for name, threshold in thresholds.items()
    }
    return figures


def counts(contender: Contender, rows: Sequence[ManifestRow]) -> Figures:
    """How many clips enter, of how many persons, and what share of each class was judged."""
    entering, judged = contender.entering(rows), contender.judged(rows)
    is_fake = contender.question.is_fake
    n_fake, n_judged_fake = sum(map(is_fake, entering)), sum(map(is_fake, judged))
    n_real, n_judged_real = len(entering) - n_fake, len(judged) - n_judged_fake
    return {
        "n_real": n_real,
        "n_fake": n_fake,
        "n_people": len({row.person for row in entering}),
        "coverage": _share(len(judged), len(entering)),
        "coverage_real": _share(n_judged_real, n_real),
        "coverage_fake": _share(n_judged_fake, n_fake),
    }


def pooled_thresholds(contender: Contender, rows: Sequence[ManifestRow]) -> dict[str, float]:
    """The single thresholds of a population that its parts are measured at.

    Returns:
        ``one_percent`` flags as many of the population's real clips as 1 % allows, ``equal_error``
        flags real clips and passes fakes about equally often; for LLRs also ``bank``, fixed
        beforehand. A clip is flagged if its score is larger. Empty where a class is absent.
    """
    trials = contender.trials(rows)
    fixed = {"bank": BANK_LLR} if contender.is_llr else {}
    if not _has_both(trials):
        return fixed
    false_alarm, hit, at_least = metrics.roc_curve(trials.is_fake, trials.scores)
    allowed = int(np.flatnonzero(false_alarm <= FALSE_ALARMS_OF_A_BANK)[-1])
    closest = int(np.argmin(np.abs(false_alarm - (1.0 - hit))))
    return {
        "one_percent": _just_below(at_least[allowed]),
        "equal_error": _just_below(at_least[closest]),
    } | fixed


def errors_at(trials: ScoredTrials, threshold: float, point: OperatingPoint) -> Figures:
    """Shares of real and fake clips above a threshold, and what that costs at a point."""
    flagged = trials.scores > threshold
    real, fake = flagged[~trials.is_fake], flagged[trials.is_fake]
    false_alarms = float(real.mean()) if real.size else None
    detected = float(fake.mean()) if fake.size else None
    cost = None
    if false_alarms is not None and detected is not None:
        missed = np.asarray(1.0 - detected)
        cost = float(point.normalised_cost(np.asarray(false_alarms), missed))
    return {
        "threshold": threshold if math.isfinite(threshold) else None,
        "false_alarms": false_alarms,
        "detected": detected,
        "cost": cost,
    }


def looks_reversed(figures: Figures) -> bool:
    """Whether real clips rank above fakes beyond chance: AUC and its whole interval below 0.5."""
    bounds = figures["intervals"]["auc"]
    return bounds is not None and figures["auc"] < 0.5 and bounds[1] < 0.5


def _operating_points(
    contender: Contender, rows: Sequence[ManifestRow], point: OperatingPoint
) -> dict[str, Figures]:
    thresholds = pooled_thresholds(contender, rows)
    if contender.is_llr:
        thresholds["bayes"] = point.threshold_llr
    trials = contender.trials(rows)
    return {name: errors_at(trials, value, point) for name, value in thresholds.items()}


def carries_interval(trials: ScoredTrials) -> bool:
    """Whether each class has two persons or more: one voice says nothing of the next."""
    people = [set(trials.groups[trials.is_fake == of].tolist()) for of in (False, True)]
    return min(map(len, people)) >= 2


def auc_interval(trials: ScoredTrials, n_draws: int) -> tuple[float, float] | None:
    """95 % interval of the AUC by person, None where the persons cannot carry one."""
    if not carries_interval(trials):
        return None
    return central_95(auc_draws(trials.is_fake, trials.scores, trials.groups, n=n_draws))


def _measured(trials: ScoredTrials, table: dict[str, Metric], n_draws: int) -> Figures:
    figures: Figures = {name: _defined(metric, trials) for name, metric in table.items()}
    bounds: dict[str, tuple[float, float] | None] = dict.fromkeys(table)
    if carries_interval(trials):
        bounds |= bootstrap_intervals(
            table, trials.is_fake, trials.scores, trials.groups, n=n_draws
        )
    return figures | {"intervals": bounds}


def _defined(metric: Metric, trials: ScoredTrials) -> float | None:
    return metric(trials.is_fake, trials.scores) if _has_both(trials) else None


def _has_both(trials: ScoredTrials) -> bool:
    return bool(trials.is_fake.any() and not trials.is_fake.all())


def _just_below(score: float) -> float:
    """Flagging above this equals flagging from ``score`` on."""
    return float(np.nextafter(score, -np.inf)) if math.isfinite(score) else math.inf


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
