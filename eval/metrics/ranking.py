"""How well scores rank fakes above real clips: ROC, AUC, AP, EER, TPR at a false alarm rate."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from eval.metrics.trials import Floats, Ints, check_trials, split_classes

TieCompat = Literal["asvspoof5"]
EerCompat = Literal["asvspoof5", "deepfakebench"]


def roc_curve(labels: ArrayLike, scores: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Receiver operating characteristic (Fawcett 2006, algorithm 1): tied scores move together.

    Returns:
        False alarm rate (share of real flagged), true positive rate (share of fake flagged), and
        the threshold of each point (flagged if score >= threshold), from (0, 0, inf) upwards.
    """
    is_fake, values = check_trials(labels, scores)
    order = np.argsort(-values, kind="stable")
    values, is_fake = values[order], is_fake[order]
    last_of_tie = np.append(values[1:] != values[:-1], True)
    n_fake_flagged = np.cumsum(is_fake)[last_of_tie]
    n_real_flagged = np.cumsum(~is_fake)[last_of_tie]
    return (
        np.append(0.0, n_real_flagged / n_real_flagged[-1]),
        np.append(0.0, n_fake_flagged / n_fake_flagged[-1]),
        np.append(np.inf, values[last_of_tie]),
    )


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC: probability that a fake outscores a real clip, ties counting one half.

    The Mann-Whitney statistic (Hanley & McNeil 1982).
    """
    fake, real = split_classes(labels, scores)
    real = np.sort(real)
    below = np.searchsorted(real, fake, side="left")
    below_or_tied = np.searchsorted(real, fake, side="right")
    return float((below + below_or_tied).sum() / (2.0 * fake.size * real.size))


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under precision over recall as a step function, without interpolation.

    ``sum (R_k - R_{k-1}) P_k`` over distinct thresholds (Davis & Goadrich 2006; as scikit-learn).
    """
    is_fake, values = check_trials(labels, scores)
    order = np.argsort(-values, kind="stable")
    values, is_fake = values[order], is_fake[order]
    last_of_tie = np.append(values[1:] != values[:-1], True)
    n_true = np.cumsum(is_fake)[last_of_tie]
    precision = n_true / (np.flatnonzero(last_of_tie) + 1)
    recall_steps = np.diff(n_true, prepend=0) / n_true[-1]
    return float(np.sum(recall_steps * precision))


def accuracy(labels: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    """Share of trials on the right side of a threshold (flagged if score > threshold).

    Depends on the mix of classes in the test set; DeepfakeBench prints it at probability 0.5.
    """
    is_fake, values = check_trials(labels, scores)
    return float(np.mean((values > threshold) == is_fake))


def eer(labels: ArrayLike, scores: ArrayLike, *, compat: EerCompat | None = None) -> float:
    """Equal error rate: where false alarms and misses are equally frequent.

    The mean of both errors at the threshold where they are closest, without interpolation, as
    ASVspoof has it. Tied scores fall on one side together, so the order of trials does not matter:
    all scores equal gives 0.5, reversed scores 1.0.

    Args:
        labels: (N,) 1 = fake.
        scores: (N,) higher = more fake.
        compat: ``asvspoof5`` passes tied scores one trial at a time, bona fide first (see
            `det_curve`), and differs only where scores tie across classes; ``deepfakebench`` takes
            the false alarm rate at the closest point of the ROC without its collinear points
            (DeepfakeBench ``training/metrics/utils.py``).
    """
    if compat == "deepfakebench":
        return _eer_deepfakebench(labels, scores)
    false_alarm, miss, _ = det_curve(labels, scores, compat=compat)
    closest = int(np.argmin(np.abs(false_alarm - miss)))
    return float((false_alarm[closest] + miss[closest]) / 2.0)


def tpr_at_fpr(labels: ArrayLike, scores: ArrayLike, fpr: float) -> float:
    """Largest share of fakes flagged by a threshold that flags at most ``fpr`` of the real clips.

    No interpolation: a threshold that exists (as TPR at fixed FPR in Deepfake-Eval-2024).
    """
    false_alarm, hit, _ = roc_curve(labels, scores)
    return float(hit[false_alarm <= fpr].max())


def det_curve(
    labels: ArrayLike, scores: ArrayLike, *, compat: TieCompat | None = None
) -> tuple[Floats, Floats, Floats]:
    """Both errors at every threshold, from flagging nothing to flagging all (Martin et al. 1997).

    Args:
        labels: (N,) 1 = fake.
        scores: (N,) higher = more fake.
        compat: by default tied scores fall on one side together. ``asvspoof5`` passes them one
            trial at a time, bona fide first, so that a tie counts against the detector
            (``compute_det_curve`` of the ASVspoof 5, 2021 and 2019 evaluation packages).

    Returns:
        Share of real flagged (``Pmiss`` in ASVspoof), share of fakes passed (``Pfa``), and the
        threshold of each point (flagged if score >= threshold; the first is above all scores).
    """
    fake, real = split_classes(labels, scores)
    (flagged, caught), thresholds = counts_up_to(-real, -fake, split_ties=compat == "asvspoof5")
    return flagged / real.size, (fake.size - caught) / fake.size, -thresholds


def counts_up_to(*classes: Floats, split_ties: bool = True) -> tuple[list[Ints], Floats]:
    """How many trials of each class lie at or below each threshold, from none to all.

    Args:
        classes: scores of each class.
        split_ties: tied scores are passed one trial at a time, in the order of ``classes``
            (official scorers); else only thresholds that exist are returned.

    Returns:
        Counts per class, (K,) each, and the (K,) thresholds; the first lies 0.001 below all.
    """
    scores = np.concatenate(classes)
    class_of = np.repeat(np.arange(len(classes)), [values.size for values in classes])
    order = np.argsort(scores, kind="stable")
    scores, class_of = scores[order], class_of[order]
    last_of_tie = np.append(scores[1:] != scores[:-1], True)
    kept = np.append(True, last_of_tie | split_ties)
    counts = [np.append(0, np.cumsum(class_of == number))[kept] for number in range(len(classes))]
    return counts, np.append(scores[0] - 0.001, scores)[kept]


def _eer_deepfakebench(labels: ArrayLike, scores: ArrayLike) -> float:
    false_alarm, hit, _ = roc_curve(labels, scores)
    fake, real = split_classes(labels, scores)
    # Counts, not rates: second differences of rates are not exactly zero on a straight line.
    n_false, n_hit = np.rint(false_alarm[1:] * real.size), np.rint(hit[1:] * fake.size)
    if n_hit.size > 2:
        corner = np.logical_or(np.diff(n_false, 2), np.diff(n_hit, 2))
        kept = np.concatenate(([True, True], corner, [True]))
        false_alarm, hit = false_alarm[kept], hit[kept]
    return float(false_alarm[int(np.argmin(np.abs(1.0 - hit - false_alarm)))])
