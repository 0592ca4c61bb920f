"""Print held-out figures as Markdown tables, as they are quoted in cards and README."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Figures = dict[str, Any]
_NO_FIGURE = "–"


def tables(name: str, figures: Figures, *, n_expected: int | None = None) -> str:
    """All tables of one set as one Markdown text.

    Args:
        name: of the set.
        figures: from `eval.heldout_figures.all_figures`.
        n_expected: clips the set holds; a run that has not judged them all is marked.
    """
    head = f"## Held-out set {name}: {figures['n_clips']} clips, {figures['n_groups']} groups"
    if n_expected is not None and n_expected != figures["n_clips"]:
        head += f" (INCOMPLETE: the set holds {n_expected})"
    return "\n\n".join(
        (
            head,
            _view_table(figures["views"]),
            _peer_table(figures["peers"]),
            _split_table("generator", figures["by_generator"], list(figures["views"])),
            _split_table("kind", figures["by_kind"], list(figures["views"])),
            _source_table(figures["false_alarms_by_source"]),
            _decision_table(figures["decisions"]),
        )
    )


def _view_table(views: dict[str, Figures]) -> str:
    head = (
        "answer",
        "real",
        "fake",
        "judged (real / fake)",
        "AUC [95 %]",
        "AUC, unjudged as 0",
        "EER",
        "TPR at 1 % FPR",
        "Cllr",
        "minCllr",
        "false alarms at LLR 0",
        "detected at LLR 0",
    )
    rows = [
        (
            name,
            str(view["n_real"]),
            str(view["n_fake"]),
            _coverage(view),
            _auc(view),
            _number(view["auc_abstained_as_0"]),
            _percent(view["eer"]),
            _percent(view["tpr_at_fpr_0.01"]),
            _number(view["cllr"]),
            _number(view["min_cllr"]),
            _percent(view["false_alarms_at_llr_0"]),
            _percent(view["detected_at_llr_0"]),
        )
        for name, view in views.items()
    ]
    return _markdown(head, rows)


def _peer_table(peers: dict[str, Figures]) -> str:
    head = ("published detector", "truth", "real", "fake", "judged (real / fake)", "AUC", "EER")
    rows = [
        (
            name,
            peer["truth"],
            str(peer["n_real"]),
            str(peer["n_fake"]),
            _coverage(peer),
            _auc(peer),
            _percent(peer["eer"]),
        )
        for name, peer in peers.items()
        if peer["auc"] is not None
    ]
    return _markdown(head, rows) if rows else "No published detector has scores on these clips."


def _split_table(what: str, table: dict[str, Figures], views: Sequence[str]) -> str:
    rows = [
        (name, str(figures["n_fake"]), *(_auc(figures[view]) for view in views))
        for name, figures in table.items()
    ]
    title = f"AUC [95 %] per {what}, its fakes against all held-out real clips:"
    return title + "\n\n" + _markdown((what, "fake", *views), rows)


def _source_table(table: dict[str, Figures]) -> str:
    rows = [
        (
            name,
            str(source["n_real"]),
            _percent(source["coverage"]),
            _percent(source["false_alarms_at_llr_0"]),
        )
        for name, source in table.items()
    ]
    return _markdown(("source of real clips", "real", "judged", "false alarms at LLR 0"), rows)


def _decision_table(table: dict[str, dict[str, int]]) -> str:
    rows = [(label, *map(str, counts.values())) for label, counts in table.items()]
    return _markdown(("truth", "decided fake", "decided real", "inconclusive"), rows)


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _coverage(figures: Figures) -> str:
    by_class = f"{_percent(figures['coverage_real'])} / {_percent(figures['coverage_fake'])}"
    return f"{_percent(figures['coverage'])} ({by_class})"


def _auc(figures: Figures) -> str:
    bounds = figures["auc_interval"]
    shown = f" [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds is not None else ""
    return _number(figures["auc"]) + shown


def _number(value: float | None) -> str:
    return _NO_FIGURE if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return _NO_FIGURE if value is None else f"{100.0 * value:.1f} %"
