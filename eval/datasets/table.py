"""The data sets as text: ``README.md`` beside this file is `datasets_markdown`, word for word."""

from __future__ import annotations

from eval.datasets import DATASETS, Dataset

_HEAD = """\
# Data sets

Each reader turns the published layout of one data set into manifest rows, in the order of its own
lists. Point `--data` at the folder that holds what the layout shows. A clip whose file is not there
stays a row: it counts against coverage. Another layout is an error that says what was expected
where.

Written by `python -m eval datasets --markdown > eval/datasets/README.md`. *Confirmed* are facts
read in the source named; the others come from second hand and wait for somebody who has the data.

| name | data set | parts | apart between its parts | layout |
| --- | --- | --- | --- | --- |
"""


def datasets_text() -> str:
    """One line a data set: name and title."""
    width = max(map(len, DATASETS))
    return "\n".join(f"{name:<{width}}  {dataset.title}" for name, dataset in DATASETS.items())


def datasets_markdown() -> str:
    """Table of all data sets, then layout and citations of each."""
    return (
        _HEAD
        + "\n".join(_line(dataset) for dataset in DATASETS.values())
        + "\n"
        + "".join(_section(dataset) for dataset in DATASETS.values())
    )


def _line(dataset: Dataset) -> str:
    open_facts = sum(not citation.confirmed for citation in dataset.citations)
    state = f"{open_facts} unconfirmed" if open_facts else "confirmed"
    cells = (
        f"[{dataset.name}](#{dataset.name})",
        dataset.title,
        ", ".join(dataset.splits) or "-",
        ", ".join(dataset.held_out) or "-",
        state,
    )
    return f"| {' | '.join(cells)} |"


def _section(dataset: Dataset) -> str:
    facts = "".join(
        f"- {citation.what}: {citation.where} "
        f"({'confirmed' if citation.confirmed else '**not confirmed**'})\n"
        for citation in dataset.citations
    )
    return f"\n## {dataset.name}\n```\n{dataset.layout.rstrip()}\n```\n{facts}"
