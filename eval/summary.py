"""The figures of one set of scores, with their intervals, under the names of the wire."""

from __future__ import annotations

import functools
from typing import Any

from eval import metrics
from eval.bootstrap import Metric, bootstrap_intervals
from eval.score_file import ScoredTrials

EER_NAME, AUC_NAME, TPR_NAME = "eer", "auc", "tpr_at_fpr_0.01"


def metric_table(
    point: metrics.OperatingPoint, *, as_llr: bool, compat: bool = False
) -> dict[str, Metric]:
    """Metrics by their name on the wire.

    Args:
        point: operating point of both costs.
        as_llr: scores are natural-log likelihood ratios, so Cllr, actDCF and ECE mean something.
        compat: ties as the official ASVspoof 5 scorer treats them.
    """
    quirk: Any = "asvspoof5" if compat else None
    table: dict[str, Metric] = {
        EER_NAME: functools.partial(metrics.eer, compat=quirk),
        AUC_NAME: metrics.auc,
        "ap": metrics.average_precision,
        "min_dcf": functools.partial(metrics.min_dcf, point=point, compat=quirk),
        "min_cllr": metrics.min_cllr,
        TPR_NAME: functools.partial(metrics.tpr_at_fpr, fpr=0.01),
    }
    if as_llr:
        table["act_dcf"] = functools.partial(metrics.act_dcf, point=point)
        table["cllr"] = metrics.cllr
        table["ece"] = metrics.ece
    return table


def summarise(
    trials: ScoredTrials, table: dict[str, Metric], *, n_draws: int = 1000
) -> dict[str, Any]:
    """Every metric of ``table`` on the trials, as one JSON object (fractions).

    Returns:
        Counts, one number a metric, and under ``intervals`` its 95 % bootstrap interval by group,
        null where there are fewer than two groups or no draw held both classes.
    """
    figures: dict[str, Any] = {
        "n_real": int((~trials.is_fake).sum()),
        "n_fake": int(trials.is_fake.sum()),
        "n_groups": len(set(trials.groups.tolist())),
    }
    figures |= {name: metric(trials.is_fake, trials.scores) for name, metric in table.items()}
    try:
        bounds: dict[str, tuple[float, float] | None] = {
            **bootstrap_intervals(table, trials.is_fake, trials.scores, trials.groups, n=n_draws)
        }
    except ValueError:
        bounds = dict.fromkeys(table)
    return figures | {"intervals": bounds}


def looks_reversed(figures: dict[str, Any]) -> bool:
    """Whether AUC and its whole interval, if there is one, lie below 0.5."""
    bounds = figures["intervals"][AUC_NAME]
    highest: float = figures[AUC_NAME] if bounds is None else bounds[1]
    return highest < 0.5
