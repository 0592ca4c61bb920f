"""The tables of a run in Markdown, as they are quoted in cards and README."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from eval.metrics import OperatingPoint
from eval.run.figures import BANK_LLR
from eval.run.markdown import (
    NO_FIGURE,
    coverage,
    errors,
    markdown,
    number,
    percent,
    percent_with_interval,
    with_interval,
)

Figures = dict[str, Any]
_POOLED_FIRST = ("set", "fold")  # conditions whose own EER stands beside that of one threshold


def run_tables(record: Figures, point: OperatingPoint) -> str:
    """Everything that a run's record holds, as one Markdown text."""
    return "\n\n".join(_sections(record, point))


def _sections(record: Figures, point: OperatingPoint) -> Iterator[str]:
    mark = "" if record["complete"] else " (INCOMPLETE)"
    yield f"# {record['title']}{mark}"
    yield (
        f"Protocol {record['protocol']}, {record['n_scored']} of {record['n_clips']} clips scored; "
        f"model {record['model']['fingerprint']}, code {', '.join(record['commits'])} "
        "(+ marks uncommitted changes). Intervals are 95 %, drawn by speaker or identity."
    )
    yield from (f"**Warning:** {warning}." for warning in record["warnings"])
    for population in record["populations"]:
        yield (
            f"## {population['title']}: {population['n_clips']} clips, "
            f"{population['n_people']} persons"
        )
        for question in population["questions"]:
            yield f"### {question['question']} (`{question['truth']}`)"
            yield _whole_table(question["contenders"])
            yield "At a bank's operating point, false alarms / detected / normalised cost:"
            yield _operating_table(question["contenders"], point)
            for condition, parts in question["parts"].items():
                yield from _part_tables(condition, parts)
    if record["localisation"] is not None:
        yield "## Localisation of the forged segments"
        yield _localisation_table(record["localisation"])
    if record["levels"]:
        yield "## Degraded"
        for answer, levels in record["levels"].items():
            yield f"### {answer}"
            yield _level_table(levels)
    yield "## Decisions of the verdict"
    yield _decision_table(record["decisions"])


def _whole_table(contenders: Mapping[str, Figures]) -> str:
    head = (
        "scored by",
        "real",
        "fake",
        "judged (real / fake)",
        "AUC [95 %]",
        "AUC, unjudged as LLR 0",
        "EER [95 %]",
        "minDCF",
        "actDCF",
        "Cllr [95 %]",
        "minCllr",
        "ECE",
    )
    rows = [
        (
            _named(name, figures),
            str(figures["n_real"]),
            str(figures["n_fake"]),
            coverage(figures),
            with_interval(figures, "auc"),
            number(figures["auc_abstained_as_0"]),
            percent_with_interval(figures, "eer"),
            number(figures["min_dcf"]),
            number(figures.get("act_dcf")),
            with_interval(figures, "cllr") if "cllr" in figures else NO_FIGURE,
            number(figures["min_cllr"]),
            number(figures.get("ece")),
        )
        for name, figures in contenders.items()
    ]
    return markdown(head, rows)


def _operating_table(contenders: Mapping[str, Figures], point: OperatingPoint) -> str:
    head = (
        "scored by",
        "threshold in hindsight: 1 % of these real clips flagged",
        "detected there [95 %]",
        f"threshold beforehand: LLR > {BANK_LLR:.2f} (1 % if calibrated)",
        f"threshold beforehand: LLR > {point.threshold_llr:.2f} (Bayes; its cost is actDCF)",
    )
    rows = []
    for name, figures in contenders.items():
        at = figures["operating_points"]
        rows.append(
            (
                _named(name, figures),
                errors(at.get("one_percent")),
                percent_with_interval(figures, "tpr_at_fpr_0.01"),
                errors(at.get("bank")),
                errors(at.get("bayes")),
            )
        )
    return markdown(head, rows)


def _part_tables(condition: str, parts: Mapping[str, Mapping[str, Figures]]) -> Iterator[str]:
    yield f"By {condition}, AUC [95 %] (judged):"
    yield _by_contender(
        condition,
        parts,
        lambda part: f"{with_interval(part, 'auc')} ({percent(part['coverage'])})",
    )
    if condition in _POOLED_FIRST:
        yield (
            f"By {condition}, own EER, then false alarms / misses at one threshold for all "
            "(the pooled EER's):"
        )
        yield _by_contender(condition, parts, _own_and_pooled)
    yield (
        f"By {condition}, at one threshold for all (1 % of all real clips flagged): "
        "false alarms / detected / cost:"
    )
    yield _by_contender(condition, parts, lambda part: errors(part["at"].get("one_percent")))
    yield f"By {condition}, Cllr (minCllr):"
    yield _by_contender(
        condition, parts, lambda part: f"{number(part['cllr'])} ({number(part['min_cllr'])})"
    )


def _by_contender(condition: str, parts: Mapping[str, Mapping[str, Figures]], cell: Any) -> str:
    names = list(next(iter(parts.values())))
    rows = []
    for value, by_name in parts.items():
        # Whoever was asked about most clips of the part tells how many there are.
        most = max(by_name.values(), key=lambda part: part["n_real"] + part["n_fake"])
        cells = [
            cell(part) if part["n_real"] + part["n_fake"] else NO_FIGURE
            for part in by_name.values()
        ]
        rows.append((value, str(most["n_real"]), str(most["n_fake"]), *cells))
    return markdown((condition, "real", "fake", *names), rows)


def _own_and_pooled(part: Figures) -> str:
    at = part["at"].get("equal_error")
    if at is None:
        return percent(part["eer"])
    missed = None if at["detected"] is None else 1.0 - at["detected"]
    return f"{percent(part['eer'])}; {percent(at['false_alarms'])} / {percent(missed)}"


def _localisation_table(figures: Figures) -> str:
    names = [*(f"AP@{iou}" for iou in figures["ap"]), *(f"AR@{n}" for n in figures["ar"])]
    shown = [number(value) for value in (*figures["ap"].values(), *figures["ar"].values())]
    head = ("clips", "forged segments", *names)
    return markdown(head, [(str(figures["n_clips"]), str(figures["n_segments"]), *shown)])


def _level_table(levels: Mapping[str, Figures]) -> str:
    head = (
        "level",
        "targets apply",
        "judged (real / fake)",
        "AUC [95 %]",
        "change from clean [95 %]",
        "EER",
        "Cllr (minCllr)",
        "at the clean 1 % threshold: false alarms / detected / cost",
    )
    rows = [
        (
            name,
            {"field": "yes: field", "stress": "no: stress"}.get(figures["severity"], NO_FIGURE),
            coverage(figures),
            with_interval(figures, "auc"),
            _change(figures["change"]),
            percent(figures["eer"]),
            f"{number(figures['cllr'])} ({number(figures['min_cllr'])})",
            errors(figures["at"].get("one_percent")),
        )
        for name, figures in levels.items()
    ]
    return markdown(head, rows)


def _change(change: Figures | None) -> str:
    if change is None:
        return NO_FIGURE
    bounds = change["interval"]
    shown = f" [{bounds[0]:+.3f}, {bounds[1]:+.3f}]" if bounds is not None else ""
    return f"{change['auc']:+.3f}{shown}"


def _decision_table(levels: Mapping[str, Mapping[str, Mapping[str, int]]]) -> str:
    rows = [
        (level, label, *map(str, found.values()), percent(found["fake"] / max(1, found.total())))
        for level, table in levels.items()
        for label, found in ((label, Counter(counts)) for label, counts in table.items())
    ]
    head = ("level", "truth", "decided fake", "decided real", "inconclusive", "share decided fake")
    return markdown(head, rows)


def _named(name: str, figures: Figures) -> str:
    return name if figures["kind"] != "peer" else f"{name} (peer)"
