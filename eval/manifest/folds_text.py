"""The groups of a protocol as text: what stands in each, what is tied, what could not be cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from eval.manifest.folds import assign_folds, components, ties_cut, with_folds
from eval.manifest.row import ManifestRow
from eval.protocol import Protocol

_HEADER = ("fold", "sources", "real", "fake", "persons", "generators", "splits")


def folds_text(rows: Sequence[ManifestRow], protocol: Protocol) -> str:
    """What ``python -m eval folds`` prints; raises `ManifestError` as `assign_folds` does."""
    assigned = assign_folds(rows, protocol)
    lines = [protocol.title, "", *_table([_HEADER, *_fold_cells(assigned, protocol)]), ""]
    for fold, sources in protocol.folds.items():
        lines += [f"{fold}:", *(f"  {source}" for source in sources)]
    return "\n".join([*lines, "", *_tied(rows, protocol), "", *_uncut(rows, protocol)])


def _fold_cells(rows: Sequence[ManifestRow], protocol: Protocol) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for fold, sources in protocol.folds.items():
        inside = [row for row in rows if row.fold == fold]
        labels = Counter(row.label for row in inside)
        splits = Counter(row.split for row in inside)
        found.append(
            (
                fold,
                str(len(sources)),
                str(labels["real"]),
                str(labels["fake"]),
                str(len({row.person for row in inside})),
                str(len({row.generator for row in inside} - {""})),
                ", ".join(f"{split} {n}" for split, n in sorted(splits.items())),
            )
        )
    return found


def _tied(rows: Sequence[ManifestRow], protocol: Protocol) -> list[str]:
    keys = ["source", "person", *(["generator"] if "generator" in protocol.held_out else [])]
    parts = components(with_folds(rows, protocol), keys)
    lines = [f"connected by {', '.join(keys)}: {len(parts)} components"]
    for part in parts:
        sources = {row.source for row in part}
        if len(sources) > 1:
            folds = ", ".join(sorted({row.fold for row in part}))
            lines.append(f"  {len(part)} rows of {len(sources)} sources in {folds}")
    return lines


def _uncut(rows: Sequence[ManifestRow], protocol: Protocol) -> list[str]:
    ties = ties_cut(rows, protocol)
    lines = [
        f"could not be cut: {len(ties)} (left out of training where the other fold is measured)"
    ]
    return lines + [f"  {tie}, {tie.n_rows} rows" for tie in ties]


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
