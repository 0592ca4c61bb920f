"""All figures of one population: everyone who scored it, whole and by part, on the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.answers import QUESTIONS
from eval.manifest.row import ManifestRow
from eval.protocol import Protocol
from eval.run.conditions import parts_by_condition
from eval.run.contenders import Contender
from eval.run.figures import Figures, part_figures, pooled_thresholds, whole_figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Rows that figures are made over, and who scored them.

    Attributes:
        title: what the figures over these rows say.
        rows: of the manifest.
        contenders: ours first.
    """

    title: str
    rows: Sequence[ManifestRow]
    contenders: Sequence[Contender]


def population_figures(
    population: Population,
    protocol: Protocol,
    durations_s: Mapping[str, float],
    *,
    n_draws: int,
) -> Figures:
    """Figures by question; others without a score on these rows are left out, we never are.

    Returns:
        ``title``, ``n_clips``, ``n_people``, and under ``questions`` a list of ``question``,
        ``truth``, ``contenders`` {name: figures} and ``parts`` {condition: {value: {name:
        figures}}}.
    """
    questions = []
    for question, words in QUESTIONS.items():
        asked = [
            contender
            for contender in population.contenders
            if contender.question == question and _stands(contender, population.rows)
        ]
        if asked:
            parts = parts_by_condition(protocol, population.rows, question, durations_s)
            questions.append(
                {
                    "question": words,
                    "truth": question.truth,
                    "contenders": {
                        c.name: whole_figures(c, population.rows, protocol.point, n_draws=n_draws)
                        for c in asked
                    },
                    "parts": _part_tables(asked, population.rows, parts, protocol, n_draws),
                }
            )
    return {
        "title": population.title,
        "n_clips": len(population.rows),
        "n_people": len({row.person for row in population.rows}),
        "questions": questions,
    }


def reversed_directions(populations: Sequence[Figures]) -> list[str]:
    """One warning a contender that ranks real clips above fakes beyond chance."""
    return [
        f"{name}: AUC {figures['auc']:.3f} with its whole interval below 0.5 ({entry['title']}, "
        f"{question['truth']}): the direction looks reversed"
        for entry in populations
        for question in entry["questions"]
        for name, figures in question["contenders"].items()
        if figures["looks_reversed"]
    ]


def _stands(contender: Contender, rows: Sequence[ManifestRow]) -> bool:
    """Whether a contender has a line: ours also where it judged none of what it was asked."""
    is_ours = contender.kind == "weights"
    return bool(contender.entering(rows) if is_ours else contender.judged(rows))


def _part_tables(
    contenders: Sequence[Contender],
    rows: Sequence[ManifestRow],
    conditions: Mapping[str, Mapping[str, Sequence[ManifestRow]]],
    protocol: Protocol,
    n_draws: int,
) -> dict[str, dict[str, dict[str, Figures]]]:
    thresholds = {c.name: pooled_thresholds(c, rows) for c in contenders}
    return {
        condition: {
            value: {
                c.name: part_figures(c, part, thresholds[c.name], protocol.point, n_draws=n_draws)
                for c in contenders
            }
            for value, part in parts.items()
        }
        for condition, parts in conditions.items()
    }
