"""What a degradation takes: figures of each level beside those of the clean files, paired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from avdetect.channels.levels import Level
from eval import metrics
from eval.manifest.row import ManifestRow
from eval.metrics import OperatingPoint
from eval.run.contenders import Contender
from eval.run.figures import Figures, part_figures, pooled_thresholds
from eval.run.store import CLEAN


def level_figures(
    by_level: Mapping[str, Contender],
    rows: Sequence[ManifestRow],
    levels: Mapping[str, Level],
    point: OperatingPoint,
    *,
    n_draws: int,
) -> dict[str, Figures]:
    """Figures of one answer at every level, ``clean`` first.

    Args:
        by_level: level -> the same answer's scores there; ``clean`` must be among them.
        rows: scored at every level.
        levels: the rungs, for their severity.
        point: prices of the cost.
        n_draws: bootstrap draws.

    Returns:
        level -> counts, AUC, EER, errors at the clean thresholds, ``severity`` and ``change`` of
        the AUC from clean over the clips judged at both, with its interval by person.
    """
    clean = by_level[CLEAN]
    thresholds = pooled_thresholds(clean, rows)
    table = {}
    for name, contender in by_level.items():
        figures = part_figures(contender, rows, thresholds, point, n_draws=n_draws)
        figures["severity"] = levels[name].severity if name in levels else ""
        figures["change"] = (
            None if name == CLEAN else auc_change(clean, contender, rows, n_draws=n_draws)
        )
        table[name] = figures
    return table


def auc_change(
    clean: Contender, degraded: Contender, rows: Sequence[ManifestRow], *, n_draws: int
) -> Figures | None:
    """AUC after minus before on the clips judged at both, with a paired interval by person.

    None where a class is absent; the interval is None where a class holds fewer than two persons.
    """
    both = [row for row in clean.judged(rows) if row.id in degraded.scores]
    before, after = clean.trials(both), degraded.trials(both)
    if before.is_fake.all() or not before.is_fake.any():
        return None

    def change(chosen: np.ndarray) -> float:
        is_fake = before.is_fake[chosen]
        return metrics.auc(is_fake, after.scores[chosen]) - metrics.auc(
            is_fake, before.scores[chosen]
        )

    everyone = np.arange(len(both))
    people = [set(before.groups[before.is_fake == of].tolist()) for of in (False, True)]
    drawn = [
        change(chosen)
        for chosen in _draws(before.groups, n_draws)
        if 0 < before.is_fake[chosen].sum() < chosen.size
    ]
    interval = None
    if min(map(len, people)) >= 2 and drawn:
        interval = tuple(float(bound) for bound in np.quantile(drawn, (0.025, 0.975)))
    return {"auc": change(everyone), "interval": interval, "n_both": len(both)}


def _draws(groups: np.ndarray, n_draws: int) -> list[np.ndarray]:
    """Indices of trials, whole persons drawn with replacement."""
    group_of = np.unique(groups, return_inverse=True)[1]
    n_groups = int(group_of.max()) + 1
    rng = np.random.default_rng(0)
    times = [
        np.bincount(rng.integers(0, n_groups, n_groups), minlength=n_groups) for _ in range(n_draws)
    ]
    return [np.repeat(np.arange(group_of.size), count[group_of]) for count in times]
