"""Figures of a held-out results file: per view of the truth, per generator, beside peers'."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from eval import metrics
from eval.bootstrap import bootstrap_interval
from eval.heldout_file import HeldoutRow
from eval.peers import Peer

Truth = Literal["label", "audio_label", "video_label"]
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One answer of the detector and the truth it is held against.

    A voice forged under a true picture is real to `visual_forgery` and fake to `voice_clone`;
    rows whose truth is unknown to a view do not enter it.

    Attributes:
        name: shown in tables.
        column: of `HeldoutRow`, higher = more fake.
        truth: column that holds ``real``, ``fake`` or nothing.
        needs_picture: rows without a picture do not enter.
    """

    name: str
    column: str
    truth: Truth
    needs_picture: bool = False

    def rows(self, rows: Sequence[HeldoutRow]) -> list[HeldoutRow]:
        """Rows that this view can be held against."""
        return [
            row
            for row in rows
            if getattr(row, self.truth) and (row.video_label or not self.needs_picture)
        ]

    def is_fake(self, row: HeldoutRow) -> bool:
        """The truth of a row that enters this view."""
        return bool(getattr(row, self.truth) == "fake")

    def llr(self, row: HeldoutRow) -> float | None:
        """The answer for a row, None where it abstained."""
        value: float | None = getattr(row, self.column)
        return value


VIEWS = (
    View(name="fused", column="fake_llr", truth="label"),
    View(name="voice_clone", column="voice_clone", truth="audio_label"),
    View(name="visual_forgery", column="visual_forgery", truth="video_label"),
    View(name="lip_sync", column="lip_sync", truth="label", needs_picture=True),
    View(name="fusion: audio_fake", column="audio_fake", truth="audio_label"),
    View(name="fusion: video_fake", column="video_fake", truth="video_label"),
    View(name="fusion: out_of_sync", column="out_of_sync", truth="label", needs_picture=True),
)


def all_figures(
    rows: Sequence[HeldoutRow], peers: Sequence[Peer], *, n_draws: int = 1000
) -> Figures:
    """Everything the tables show, as JSON-ready fractions.

    Args:
        rows: of one held-out set.
        peers: scores of others, on the same ids.
        n_draws: bootstrap draws of each interval.
    """
    views = [view for view in VIEWS if view.rows(rows)]
    return {
        "n_clips": len(rows),
        "n_groups": len({row.group for row in rows}),
        "views": {view.name: view_figures(view, rows, n_draws=n_draws) for view in views},
        "by_generator": _by(rows, views, lambda row: row.generator, n_draws),
        "by_kind": _by(rows, views, lambda row: row.kind, n_draws),
        "false_alarms_by_source": _false_alarms_by_source(rows),
        "decisions": _decisions(rows),
        "peers": {peer.name: _peer_figures(peer, rows, n_draws) for peer in peers},
    }


def view_figures(view: View, rows: Sequence[HeldoutRow], *, n_draws: int = 1000) -> Figures:
    """Figures of one view; null where a class is absent among the judged rows.

    ``auc_abstained_as_0`` counts clips that could not be judged as ``fake_llr`` 0, so that a
    detector cannot win by declining the hard ones.
    """
    entering = view.rows(rows)
    judged = [row for row in entering if view.llr(row) is not None]
    figures = _counts(entering, judged, view.is_fake)
    truth = [view.is_fake(row) for row in judged]
    llrs = np.asarray([view.llr(row) for row in judged], np.float64)
    figures |= _ranking(truth, llrs, [row.group for row in judged], n_draws)
    figures["auc_abstained_as_0"] = _defined(
        metrics.auc,
        [view.is_fake(row) for row in entering],
        np.asarray([view.llr(row) or 0.0 for row in entering]),
    )
    figures["tpr_at_fpr_0.01"] = _defined(
        lambda labels, scores: metrics.tpr_at_fpr(labels, scores, 0.01), truth, llrs
    )
    for name, metric in (("cllr", metrics.cllr), ("min_cllr", metrics.min_cllr)):
        figures[name] = _defined(metric, truth, llrs)
    flagged, is_fake = llrs > 0.0, np.asarray(truth, bool)
    figures["false_alarms_at_llr_0"] = float(flagged[~is_fake].mean()) if (~is_fake).any() else None
    figures["detected_at_llr_0"] = float(flagged[is_fake].mean()) if is_fake.any() else None
    return figures


def _counts(
    entering: Sequence[HeldoutRow],
    judged: Sequence[HeldoutRow],
    is_fake: Callable[[HeldoutRow], bool],
) -> Figures:
    n_fake, n_judged_fake = sum(map(is_fake, entering)), sum(map(is_fake, judged))
    return {
        "n_real": len(entering) - n_fake,
        "n_fake": n_fake,
        "coverage": _share(len(judged), len(entering)),
        "coverage_real": _share(len(judged) - n_judged_fake, len(entering) - n_fake),
        "coverage_fake": _share(n_judged_fake, n_fake),
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _ranking(truth: list[bool], scores: Any, groups: list[str], n_draws: int) -> Figures:
    return {
        "auc": _defined(metrics.auc, truth, scores),
        "auc_interval": _auc_interval(truth, scores, groups, n_draws),
        "eer": _defined(metrics.eer, truth, scores),
    }


def _auc_interval(
    truth: list[bool], scores: Any, groups: list[str], n_draws: int
) -> tuple[float, float] | None:
    """None where the groups cannot carry an interval: one voice says nothing of the next."""
    people = [
        {group for group, fake in zip(groups, truth, strict=True) if fake == of} for of in (0, 1)
    ]
    if min(map(len, people)) < 2:
        return None
    try:
        return bootstrap_interval(metrics.auc, truth, scores, groups, n=n_draws)
    except ValueError:
        return None


def _defined(metric: Callable[..., float], truth: list[bool], scores: Any) -> float | None:
    return metric(truth, scores) if any(truth) and not all(truth) else None


def _by(
    rows: Sequence[HeldoutRow],
    views: Sequence[View],
    key: Callable[[HeldoutRow], str],
    n_draws: int,
) -> dict[str, Figures]:
    """Per generator or kind: its fakes against all held-out real clips, in every view."""
    table: dict[str, Figures] = {}
    for name in sorted({key(row) for row in rows if row.label == "fake"}):
        table[name] = {"n_fake": sum(key(row) == name and row.label == "fake" for row in rows)}
        for view in views:
            chosen = [
                row
                for row in view.rows(rows)
                if view.llr(row) is not None
                and (key(row) == name if view.is_fake(row) else row.label == "real")
            ]
            truth = [view.is_fake(row) for row in chosen]
            llrs = np.asarray([view.llr(row) for row in chosen], np.float64)
            figures = _ranking(truth, llrs, [row.group for row in chosen], n_draws)
            table[name][view.name] = {"n_judged": sum(truth)} | figures
    return table


def _false_alarms_by_source(rows: Sequence[HeldoutRow]) -> dict[str, Figures]:
    table: dict[str, Figures] = {}
    for source in sorted({row.source for row in rows if row.label == "real"}):
        real = [row for row in rows if row.source == source and row.label == "real"]
        llrs = [row.fake_llr for row in real if row.fake_llr is not None]
        flagged = sum(llr > 0.0 for llr in llrs)
        table[source] = {
            "n_real": len(real),
            "coverage": _share(len(llrs), len(real)),
            "false_alarms_at_llr_0": _share(flagged, len(llrs)),
        }
    return table


def _decisions(rows: Sequence[HeldoutRow]) -> dict[str, dict[str, int]]:
    return {
        label: {
            decision: sum(row.label == label and row.decision == decision for row in rows)
            for decision in ("fake", "real", "inconclusive")
        }
        for label in ("real", "fake")
    }


def _peer_figures(peer: Peer, rows: Sequence[HeldoutRow], n_draws: int) -> Figures:
    truth_column: Truth = "audio_label" if peer.hears else "video_label"
    view = View(name=peer.name, column="", truth=truth_column)
    entering = view.rows(rows)
    judged = [row for row in entering if row.id in peer.scores]
    truth = [view.is_fake(row) for row in judged]
    scores = np.asarray([peer.scores[row.id] for row in judged], np.float64)
    return {
        "truth": truth_column,
        **_counts(entering, judged, view.is_fake),
        **_ranking(truth, scores, [row.group for row in judged], n_draws),
    }
