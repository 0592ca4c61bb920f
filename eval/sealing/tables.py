"""The figures of sealing as Markdown tables."""

from __future__ import annotations

from collections import Counter

import numpy as np

from avdetect.provenance.verification import Outcome
from eval.sealing.figures import TOLERANCE_S, Figures, Trial


def figures_text(figures: Figures) -> str:
    """Tables in Markdown."""
    lines = [*_outcome_table(figures), "", *_edit_table(figures), ""]
    if figures.failures:
        lines += ["Alarms on files that nobody edited:", *figures.failures, ""]
    missed = [t for t in figures.edits if not t.is_found or t.n_false]
    if missed:
        lines += ["Edits not found within the tolerance, or with findings beside them:"]
        lines += [_missed_line(trial) for trial in missed]
    return "\n".join(lines)


def _outcome_table(figures: Figures) -> list[str]:
    names = [outcome.value for outcome in Outcome]
    lines = [f"| condition | files | {' | '.join(names)} |", "| --- " * (len(names) + 2) + "|"]
    counts = dict(figures.outcomes)
    for group in ("spliced", "re-encoded"):
        trials = [t for t in figures.edits if t.group == group]
        counts[f"edited, {group}"] = Counter(t.verification.outcome.value for t in trials)
    for condition, counter in counts.items():
        cells = " | ".join(str(counter[name]) for name in names)
        lines.append(f"| {condition} | {counter.total()} | {cells} |")
    return lines


def _edit_table(figures: Figures) -> list[str]:
    lines = [
        f"| edits | n | found within {TOLERANCE_S} s | median error s | 95 % error s "
        "| false findings |",
        "| --- " * 6 + "|",
    ]
    keys = {"all": figures.edits}
    for trial in figures.edits:
        keys.setdefault(f"{trial.group}", []).append(trial)
    for trial in figures.edits:
        keys.setdefault(f"{trial.group}, {trial.truth.edit.value}", []).append(trial)
    for trial in figures.edits:
        keys.setdefault(f"{trial.group}, {trial.medium}", []).append(trial)
    for name, trials in keys.items():
        errors = np.array(
            [e for t in trials if t.errors_s is not None for e in t.errors_s] or [np.nan]
        )
        found = sum(t.is_found for t in trials)
        lines.append(
            f"| {name} | {len(trials)} | {found} ({100 * found / len(trials):.0f} %) "
            f"| {np.median(errors):.2f} | {np.percentile(errors, 95):.2f} "
            f"| {sum(t.n_false for t in trials)} |"
        )
    return lines


def _missed_line(trial: Trial) -> str:
    a, b = trial.truth.sealed_s
    said = "; ".join(finding.text for finding in trial.verification.findings) or "nothing"
    length_s = max(b - a, trial.truth.file_s[1] - trial.truth.file_s[0])
    return (
        f"- {trial.group}, {trial.medium}, {trial.scene}: {trial.truth.edit.value} of "
        f"{length_s:.2f} s at {a:.2f} s: {trial.verification.outcome.value}: {said}"
    )
