"""What a degradation takes: figures of each level beside those of the clean files, paired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from avdetect.channels.levels import Level
from eval import metrics
from eval.bootstrap import auc_draws, central_95
from eval.manifest.row import ManifestRow
from eval.metrics import OperatingPoint
from eval.run.contenders import Contender
from eval.run.figures import Figures, carries_interval, part_figures, pooled_thresholds
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

    gain = metrics.auc(after.is_fake, after.scores) - metrics.auc(before.is_fake, before.scores)
    drawn = [auc_draws(t.is_fake, t.scores, t.groups, n=n_draws) for t in (after, before)]
    return {
        "auc": gain,
        "interval": central_95(drawn[0] - drawn[1]) if carries_interval(before) else None,
        "n_both": len(both),
    }
