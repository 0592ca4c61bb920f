"""Do cues help the verdict? A learned late fusion of them with it, every fold held out once.

The verdict's own LLR is kept as it is; cues may only add to it, each by a weight of at least 0 that
is fitted, like the cues' own models, without the fold that is scored. What is printed is the paired
difference over clips of people drawn anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from avdetect.cues import CUES
from avdetect.cues.base import Medium
from eval.bootstrap import Metric, paired_interval
from eval.cues.fit import fit_linear, out_of_fold
from eval.cues.gather import CueRow
from eval.cues.material import Sample, equal_weights
from eval.metrics import auc, cllr

_LASSO = 0.02  # a cue must earn its say
_LEAST_OF_A_CLASS = 8
_NUMBERS = {"real": 0, "fake": 1, "": -1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """The verdict with cues beside the verdict alone, on clips that both judged.

    Attributes:
        medium: of the clips.
        cues: that were joined to it.
        n_real, n_fake: clips.
        alone, joined: AUC and Cllr of either.
        auc_gain, cllr_gain: difference with its 95 % interval; a lower Cllr is a gain, too.
        says: cue -> weight, fitted on all folds.
    """

    medium: Medium
    cues: tuple[str, ...]
    n_real: int
    n_fake: int
    alone: tuple[float, float]
    joined: tuple[float, float]
    auc_gain: tuple[float, float, float]
    cllr_gain: tuple[float, float, float]
    says: Mapping[str, float]

    @property
    def helps(self) -> bool:
        """Whether the verdict is surely better with cues, and in neither figure surely worse."""
        better = self.auc_gain[1] > 0.0 or self.cllr_gain[2] < 0.0
        return better and self.auc_gain[2] >= 0.0 and self.cllr_gain[1] <= 0.0


def gain(
    medium: Medium,
    samples: Sequence[Sample],
    rows: Mapping[str, Sequence[CueRow]],
    verdicts: Mapping[str, float],
) -> Gain | None:
    """What cues add to the verdicts of one medium; None where there is too little to tell.

    Args:
        medium: of the samples.
        samples: of one medium.
        rows: cue -> a row of each sample.
        verdicts: id -> the verdict's LLR by calibrations that had not seen the clip's fold.
    """
    table = _Table.of(samples, rows, verdicts)
    if table is None:
        return None
    joined = np.full(len(table.labels), np.nan)
    for fold in dict.fromkeys(table.folds):
        held = np.asarray(table.folds) == fold
        if _enough(table.labels[~held]):
            says = _says(table, ~held)
            joined[held] = table.verdicts[held] + _llrs(table, ~held, held) @ says
    known = np.isfinite(joined)
    if not _enough(table.labels[known]):
        return None
    labels, alone, joined = table.labels[known] == 1, table.verdicts[known], joined[known]
    groups = [g for g, kept in zip(table.groups, known, strict=True) if kept]
    says = _says(table, np.ones(len(table.labels), bool))
    return Gain(
        medium=medium,
        cues=tuple(table.cues),
        n_real=int((~labels).sum()),
        n_fake=int(labels.sum()),
        alone=(auc(labels, alone), cllr(labels, alone)),
        joined=(auc(labels, joined), cllr(labels, joined)),
        auc_gain=_difference(auc, labels, alone, joined, groups),
        cllr_gain=_difference(cllr, labels, alone, joined, groups),
        says={name: float(say) for name, say in zip(table.cues, says, strict=True) if say > 1e-3},
    )


@dataclass(frozen=True, slots=True)
class _Table:
    cues: list[str]
    features: list[NDArray[np.float64]]  # of each cue (N, K), NaN where it abstained
    truths: list[NDArray[np.int64]]  # what each cue speaks of (N,), -1 where unknown
    labels: NDArray[np.int64]  # of the clips
    verdicts: NDArray[np.float64]
    folds: list[str]
    groups: list[str]

    @classmethod
    def of(
        cls,
        samples: Sequence[Sample],
        rows: Mapping[str, Sequence[CueRow]],
        verdicts: Mapping[str, float],
    ) -> _Table | None:
        kept = [s for s in samples if s.row.id in verdicts]
        labels = np.array([s.row.label == "fake" for s in kept], np.int64)
        if not _enough(labels):
            return None
        features, truths = [], []
        for name, found in rows.items():
            by_id = {row.id: row.features for row in found}
            width = len(CUES[name].features)
            features.append(
                np.array([by_id[s.row.id] or (np.nan,) * width for s in kept], np.float64)
            )
            truth = CUES[name].truth
            assert truth is not None
            truths.append(np.array([_NUMBERS[s.label(truth)] for s in kept], np.int64))
        return cls(
            list(rows),
            features,
            truths,
            labels,
            np.array([verdicts[s.row.id] for s in kept]),
            [s.fold for s in kept],
            [s.group for s in kept],
        )


def _llrs(
    table: _Table, fitted: NDArray[np.bool_], asked: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """(M, C) LLR of every cue on the clips asked, by models of the clips fitted; 0: abstained."""
    columns = []
    for features, truth in zip(table.features, table.truths, strict=True):
        has = np.asarray(np.isfinite(features).all(1))
        use = fitted & has & (truth >= 0)
        column = np.zeros(int(asked.sum()))
        if _enough(truth[use]):
            model = fit_linear(features[use], truth[use])
            pairs = zip(features[asked], has[asked], strict=True)
            column = np.array([model.fake_llr(found) if ok else 0.0 for found, ok in pairs])
        columns.append(column)
    return np.stack(columns, axis=1)


def _says(table: _Table, fitted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(C,) weights >= 0 by which cues add to the verdict, of LLRs out of fold among the fitted."""
    columns = []
    for features, truth in zip(table.features, table.truths, strict=True):
        column = np.zeros(len(table.labels))
        use = fitted & np.isfinite(features).all(1) & (truth >= 0)
        if use.any():
            folds = [fold for fold, kept in zip(table.folds, use, strict=True) if kept]
            column[use] = np.nan_to_num(out_of_fold(features[use], truth[use], folds))
        columns.append(column[fitted])
    x, y, base = np.stack(columns, axis=1), table.labels[fitted], table.verdicts[fitted]
    share, sign = equal_weights(y), np.where(y == 1, 1.0, -1.0)

    def loss(says: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (base + x @ says)
        value = float(share @ np.logaddexp(0.0, -margin)) + _LASSO * float(says.sum())
        slope = -(share * sign / (1.0 + np.exp(np.clip(margin, -50, 50)))) @ x + _LASSO
        return value, slope

    bounds = [(0.0, 1.0)] * x.shape[1]
    found = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x, np.float64)


def _difference(
    metric: Metric,
    labels: NDArray[np.bool_],
    alone: NDArray[np.float64],
    joined: NDArray[np.float64],
    groups: Sequence[str],
) -> tuple[float, float, float]:
    """Joined less alone, with its paired 95 % interval."""
    low, high = paired_interval(metric, labels, alone, joined, groups)
    return metric(labels, joined) - metric(labels, alone), low, high


def _enough(labels: NDArray[np.int64]) -> bool:
    return min(int((labels == 0).sum()), int((labels == 1).sum())) >= _LEAST_OF_A_CLASS
