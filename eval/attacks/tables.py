"""Robust accuracy and AUC of trials, with intervals by person, as a Markdown table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from avdetect.decision import DecisionRule
from avdetect.types import Decision
from eval.attacks.trial import Trial
from eval.bootstrap import bootstrap_interval
from eval.metrics import accuracy, auc

_PRIOR = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Figures of one attack on one target.

    Attributes:
        n_real, n_fake: items that were judged before and after.
        n_lost: items that could be judged before the attack and not after it.
        accuracy_before, accuracy_after: share on the right side of LLR 0.
        accuracy_95: of ``accuracy_after``.
        auc_before, auc_after, auc_95: likewise of the AUC.
        fake_called_real: share of fakes called real at the shipped band, before and after.
        real_called_fake: share of real ones called fake, before and after.
    """

    target: str
    kind: str
    attack: str
    n_real: int
    n_fake: int
    n_lost: int
    accuracy_before: float
    accuracy_after: float
    accuracy_95: tuple[float, float]
    auc_before: float
    auc_after: float
    auc_95: tuple[float, float]
    fake_called_real: tuple[float, float]
    real_called_fake: tuple[float, float]


def figures_of(trials: Sequence[Trial], rule: DecisionRule) -> list[Figure]:
    """One figure per target and attack, in the order of the trials."""
    keys = dict.fromkeys((trial.target, trial.kind, trial.attack) for trial in trials)
    return [
        _figure(key, [t for t in trials if (t.target, t.kind, t.attack) == key], rule)
        for key in keys
    ]


def attacks_table(figures: Sequence[Figure]) -> str:
    """A Markdown table."""
    lines = [
        "| target | attack | real / fake | accuracy: before | after | AUC: before | after "
        "| fakes called real | real called fake |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for f in figures:
        lost = f" ({f.n_lost} lost)" if f.n_lost else ""
        lines.append(
            f"| {f.target} | {f.attack} ({f.kind}) | {f.n_real} / {f.n_fake}{lost} "
            f"| {f.accuracy_before:.3f} | {f.accuracy_after:.3f} {_span(f.accuracy_95)} "
            f"| {f.auc_before:.3f} | {f.auc_after:.3f} {_span(f.auc_95)} "
            f"| {_change(f.fake_called_real)} | {_change(f.real_called_fake)} |"
        )
    return "\n".join(lines)


def as_json(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Figures as plain tables, rounded."""

    def rounded(value: Any) -> Any:
        if isinstance(value, tuple):
            return [round(v, 4) for v in value]
        return round(value, 4) if isinstance(value, float) else value

    return [{key: rounded(value) for key, value in asdict(f).items()} for f in figures]


def _figure(key: tuple[str, str, str], trials: Sequence[Trial], rule: DecisionRule) -> Figure:
    judged = [(t, t.after) for t in trials if t.after is not None]
    labels = np.array([t.is_fake for t, _ in judged])
    before = np.array([t.before for t, _ in judged])
    after = np.array([score for _, score in judged])
    people = [t.person for t, _ in judged]

    def right(truth: Any, scores: Any) -> float:
        return accuracy(truth, scores, 0.0)

    def called(scores: Any, of_fakes: bool, decision: Decision) -> float:
        chosen = scores[labels == of_fakes]
        return float(np.mean([rule.decide(float(s), _PRIOR) is decision for s in chosen]))

    return Figure(
        target=key[0],
        kind=key[1],
        attack=key[2],
        n_real=int((~labels).sum()),
        n_fake=int(labels.sum()),
        n_lost=len(trials) - len(judged),
        accuracy_before=right(labels, before),
        accuracy_after=right(labels, after),
        accuracy_95=bootstrap_interval(right, labels, after, people),
        auc_before=auc(labels, before),
        auc_after=auc(labels, after),
        auc_95=bootstrap_interval(auc, labels, after, people),
        fake_called_real=(called(before, True, Decision.REAL), called(after, True, Decision.REAL)),
        real_called_fake=(
            called(before, False, Decision.FAKE),
            called(after, False, Decision.FAKE),
        ),
    )


def _span(interval: tuple[float, float]) -> str:
    return f"[{interval[0]:.3f}, {interval[1]:.3f}]"


def _change(shares: tuple[float, float]) -> str:
    return f"{shares[0]:.0%} → {shares[1]:.0%}"
