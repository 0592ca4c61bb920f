"""What out-of-fold scores are worth, per fold and pooled, and whether two sets of them agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from eval.bootstrap import bootstrap_interval
from eval.manifest.row import ManifestRow
from eval.metrics import auc, cllr, eer, min_cllr
from eval.out_of_fold import OutOfFold
from recipes.datasets.voices import is_fake

Truth = Mapping[str, ManifestRow]


def figure_lines(scored: Sequence[OutOfFold], truth: Truth) -> list[str]:
    """One line a fold, then one a procedure over all of its folds, if calibrated."""
    lines = []
    for procedure in dict.fromkeys(e.procedure for e in scored):
        whole = [e for e in scored if e.procedure == procedure]
        folds = list(dict.fromkeys(e.fold for e in whole))
        for fold in folds:
            part = [e for e in whole if e.fold == fold]
            lines.append(f"{procedure:24s} {fold:36s} {_figures(part, truth)}")
        if len(folds) > 1 and all(e.fake_llr is not None for e in whole if e.score is not None):
            lines.append(f"{procedure:24s} {'pooled':36s} {_figures(whole, truth)}")
    return lines


def disagreements(
    scored: Sequence[OutOfFold], committed: Sequence[OutOfFold], truth: Truth
) -> list[str]:
    """Where freshly trained scores contradict the committed ones, in words; empty if nowhere.

    A procedure agrees if it scored the same clips and its pooled AUC lies within the 95 % interval
    of the committed one.
    """
    found = []
    for procedure in sorted({e.procedure for e in [*scored, *committed]}):
        new, old = (
            [e for e in entries if e.procedure == procedure] for entries in (scored, committed)
        )
        if {e.id for e in new} != {e.id for e in old}:
            found.append(
                f"{procedure}: {len(new)} clips scored, {len(old)} in the committed file, and not "
                "the same ones: write it anew with python -m recipes.voice_clone.folds"
            )
            continue
        value, (low, high) = auc(*_trials(new, truth)), _interval(old, truth)
        if not low <= value <= high:
            found.append(
                f"{procedure}: pooled AUC {value:.3f} is outside the committed 95 % interval "
                f"[{low:.3f}, {high:.3f}]"
            )
    return found


def _figures(scored: Sequence[OutOfFold], truth: Truth) -> str:
    labels, values = _trials(scored, truth)
    n_fake = sum(is_fake(truth[e.id]) for e in scored)
    counts = (
        f"{len(scored) - n_fake:4d} real {n_fake:4d} fake, judged {len(labels) / len(scored):6.1%}"
    )
    low, high = _interval(scored, truth)
    text = f"{counts}  AUC {auc(labels, values):.3f} [{low:.3f}, {high:.3f}]"
    text += f"  EER {eer(labels, values):6.1%}"
    if all(e.fake_llr is not None for e in scored if e.score is not None):
        text += f"  Cllr {cllr(labels, values):.3f} (min {min_cllr(labels, values):.3f})"
    return text


def _interval(scored: Sequence[OutOfFold], truth: Truth) -> tuple[float, float]:
    labels, values = _trials(scored, truth)
    people = [truth[e.id].person for e in scored if e.score is not None]
    return bootstrap_interval(auc, labels, values, people)


def _trials(
    scored: Sequence[OutOfFold], truth: Truth
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Labels and LLRs, or raw scores where there are none, of what could be judged."""
    judged = [e for e in scored if e.score is not None]
    labels = np.array([int(is_fake(truth[e.id])) for e in judged])
    return labels, np.array([e.score if e.fake_llr is None else e.fake_llr for e in judged])
