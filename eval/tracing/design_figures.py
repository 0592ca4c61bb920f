"""Figures of model parsing: properties of a generator by heads that never saw it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from avdetect.tracing.properties import PROPERTIES, UNKNOWN, generators
from eval.tracing.figures import share
from eval.tracing.scores import DESIGNS, Row, read_table

_WAYS = ("explicit", "implicit", "both")
_CONDITIONS = {
    "native": "as stored",
    "crop_64_jpeg": "cut to 64 px, then one JPEG of random quality",
}


def design_lines() -> Iterator[str]:
    """The whole section, line by line; groups are generators."""
    columns = ["condition", "source"]
    columns += [f"{way}:{name}" for way in _WAYS for name in PROPERTIES]
    rows = read_table(DESIGNS, columns)
    for condition, words in _CONDITIONS.items():
        kept = [row for row in rows if row["condition"] == condition]
        yield f"Design of a generator never seen, by residual spectra, {words}"
        above = 0
        for name in PROPERTIES:
            known = [row for row in kept if _truth(row, name) != UNKNOWN]
            groups = [row["source"] for row in known]
            majority = share(
                [_truth(r, name) == _majority(r["source"], name) for r in known], groups
            )
            found = {
                way: share([_truth(r, name) == r[f"{way}:{name}"] for r in known], groups)
                for way in _WAYS
            }
            above += found["explicit"].value > majority.value
            yield f"  {name:<15} {found['explicit']}  majority guess {majority}"
            implicit, both = found["implicit"].value, found["both"].value
            yield f"  {'':<15} learned embedding alone {implicit:.3f}, both {both:.3f}"
        yield f"  above the majority guess: {above} of {len(PROPERTIES)} properties"


def _truth(row: Row, name: str) -> str:
    return generators()[row["source"]].properties[name]


def _majority(source: str, name: str) -> str:
    """The commonest value among the other generators, ties by name."""
    values = [
        of.properties[name]
        for other, of in generators().items()
        if other != source and of.properties[name] != UNKNOWN
    ]
    return min(Counter(values).items(), key=lambda item: (-item[1], item[0]))[0]
