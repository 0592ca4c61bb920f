"""Figures of every cue from its out-of-fold LLRs: separation, errors, coverage, a control, cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from avdetect.cues.base import Cue, Medium, Truth
from avdetect.cues.worth import separates
from eval.bootstrap import auc_draws, central_95
from eval.cues.scores import Scored
from eval.metrics import auc, cllr

_MODERN = "modern"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One cue on one set of clips.

    Attributes:
        cue, medium, name: which cue, on what, and the set's name.
        n_real, n_fake: clips judged.
        judged: share of clips with a known truth that the cue did not abstain from.
        auc, low, high: separation with its 95 % interval, None where a class is absent.
        false_alarm_rate, miss_rate: at LLR 0.
        cllr: of the LLRs, in bits; 1 is a silent cue.
        control_auc: mean of the control with labels dealt at random within folds.
    """

    cue: str
    medium: Medium
    name: str
    n_real: int
    n_fake: int
    judged: float
    auc: float | None
    low: float | None
    high: float | None
    false_alarm_rate: float | None
    miss_rate: float | None
    cllr: float | None
    control_auc: float | None

    @property
    def separates(self) -> bool:
        """Whether it is surely better than chance, and than what the look of sources gives."""
        if self.low is None:
            return False
        return separates(self.low, self.control_auc or 0.0, min(self.n_real, self.n_fake))


def sets_of(medium: Medium) -> dict[str, Callable[[Scored], bool]]:
    """The sets a medium is reported on: all of it, and of voices the older and newer generators."""
    everything: dict[str, Callable[[Scored], bool]] = {"all": lambda row: True}
    if medium is not Medium.SOUND:
        return everything
    return everything | {
        "2017-2023": lambda row: row.fold != _MODERN,
        "2022-2024": lambda row: row.fold == _MODERN,
    }


def figures(
    cue: Cue, medium: Medium, scored: Sequence[Scored], control: float | None = None
) -> list[Figures]:
    """Of one cue on every set of a medium; ``control`` as of `eval.cues.scores.controls`."""
    return [
        _figures(cue, medium, name, [row for row in scored if belongs(row)], control)
        for name, belongs in sets_of(medium).items()
    ]


def truth_of(row: Scored, truth: Truth | None) -> str:
    """``real``, ``fake`` or empty."""
    return row.audio_label if truth is Truth.AUDIO else row.video_label


def _figures(
    cue: Cue, medium: Medium, name: str, rows: Sequence[Scored], control: float | None
) -> Figures:
    known = [row for row in rows if truth_of(row, cue.truth)]
    judged = [row for row in known if cue.name in row.llrs]
    labels = np.array([truth_of(row, cue.truth) == "fake" for row in judged], np.int64)
    llrs = np.array([row.llrs[cue.name] for row in judged])
    groups = [row.group for row in judged]
    both = 0 < labels.sum() < len(labels)
    interval = (
        central_95(auc_draws(labels, llrs, groups)) if both and len(set(groups)) > 1 else None
    )
    return Figures(
        cue=cue.name,
        medium=medium,
        name=name,
        n_real=int((labels == 0).sum()),
        n_fake=int(labels.sum()),
        judged=len(judged) / max(1, len(known)),
        auc=auc(labels, llrs) if both else None,
        low=None if interval is None else interval[0],
        high=None if interval is None else interval[1],
        false_alarm_rate=float((llrs[labels == 0] > 0).mean()) if (labels == 0).any() else None,
        miss_rate=float((llrs[labels == 1] <= 0).mean()) if labels.any() else None,
        cllr=cllr(labels, llrs) if both else None,
        control_auc=control if name == "all" else None,
    )


def figure_table(found: Sequence[Figures], cost_ms: Mapping[tuple[str, Medium], float]) -> str:
    """Markdown, one row a cue and set, as printed."""
    lines = [
        "| cue | on | real / fake | judged | AUC | false alarm | miss | Cllr | control | ms/s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for f in found:
        cost = cost_ms.get((f.cue, f.medium))
        cells = [
            f.cue if f.name == "all" else "",
            f.medium if f.name == "all" else f"{f.medium}, {f.name}",
            f"{f.n_real} / {f.n_fake}",
            f"{100 * f.judged:.1f} %",
            "-" if f.auc is None else f"{f.auc:.3f} [{_shown(f.low)}, {_shown(f.high)}]",
            _percent(f.false_alarm_rate),
            _percent(f.miss_rate),
            _shown(f.cllr),
            _shown(f.control_auc),
            "" if cost is None or f.name != "all" else f"{cost:.1f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"
