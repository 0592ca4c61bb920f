"""Frozen groups of a protocol: who trains, who is measured, and what cutting by source left tied.

A source stands whole in one fold. What a cut by source cannot separate (a speaker, identity or
generator in two folds) is dropped from the training side, never from the measured one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from eval.errors import ManifestError
from eval.manifest.leaks import UNUSED, Leak, find_leaks
from eval.manifest.row import ManifestRow
from eval.protocol import Protocol

_ROLES = ("test", "calibration", "train")  # an earlier one keeps a row that a later one loses


def assign_folds(rows: Sequence[ManifestRow], protocol: Protocol) -> list[ManifestRow]:
    """Every row with its ``fold`` and its ``split``, in order.

    The split is the role of the fold: ``test``, ``calibration`` or ``train``, else ``unused``.
    ``unused`` is also a row of a measured fold that the protocol lists as ``train_only``, and a
    training or calibration row that shares what the protocol holds out with a measured row (a
    training row: with a calibration row as well).

    Raises:
        ManifestError: a source in no fold or in two, a role of a fold that is not there, or a fold
            in two roles.
    """
    found = with_folds(rows, protocol)
    role_of = _role_of(protocol)
    roles = [role_of.get(row.fold, UNUSED) for row in found]
    splits = [
        UNUSED if role in ("test", "calibration") and is_train_only(row, protocol) else role
        for row, role in zip(found, roles, strict=True)
    ]
    taken: set[tuple[str, str]] = set()
    for role in _ROLES:
        kept = [i for i, split in enumerate(splits) if split == role]
        for index in kept:
            if taken & _names(found[index], protocol.held_out):
                splits[index] = UNUSED
        taken |= {
            name
            for index in kept
            if splits[index] == role
            for name in _names(found[index], protocol.held_out)
        }
    return [replace(row, split=split) for row, split in zip(found, splits, strict=True)]


def fold_split(
    rows: Sequence[ManifestRow],
    protocol: Protocol,
    held_out_fold: str,
    *,
    training_folds: Sequence[str] | None = None,
) -> tuple[list[ManifestRow], list[ManifestRow]]:
    """(training rows, test rows) with one fold held out, for cross-validation.

    Args:
        rows: all rows of the data set; their own splits play no part.
        protocol: gives the folds and what must not be shared.
        held_out_fold: measured; rows the protocol lists as ``train_only`` are left out of it.
        training_folds: trained on; by default every other fold that has a role or stands in a set.

    Returns:
        Rows with ``split`` ``train`` and ``test``. A training row that shares a held-out speaker,
        identity or generator with a test row is left out.

    Raises:
        ManifestError: no such fold, or a source in no fold or in two.
    """
    groups = [*protocol.roles.values(), *protocol.sets.values()]
    used = {fold for folds in groups for fold in folds}
    wanted = used if training_folds is None else set(training_folds)
    unknown = sorted(({held_out_fold} | wanted) - set(protocol.folds))
    if unknown or held_out_fold in (training_folds or ()):
        raise ManifestError(
            f"protocol {protocol.name}: cannot hold out {held_out_fold!r} and train on "
            f"{sorted(wanted)}; its folds are {', '.join(protocol.folds)}"
        )
    others = tuple(sorted(wanted - {held_out_fold}))
    trial = replace(protocol, roles={"train": others, "test": (held_out_fold,)})
    found = assign_folds(rows, trial)
    return [r for r in found if r.split == "train"], [r for r in found if r.split == "test"]


def with_folds(rows: Sequence[ManifestRow], protocol: Protocol) -> list[ManifestRow]:
    """Every row with its ``fold``; raises `ManifestError` for a source in no fold or in two."""
    fold_of: dict[str, str] = {}
    for fold, sources in protocol.folds.items():
        for source in sources:
            if fold_of.setdefault(source, fold) != fold:
                raise ManifestError(
                    f"protocol {protocol.name}: source {source!r} stands in folds "
                    f"{fold_of[source]} and {fold}; leave it in one"
                )
    strangers = sorted({row.source for row in rows} - set(fold_of))
    if strangers:
        raise ManifestError(
            f"protocol {protocol.name}: sources in no fold: {', '.join(map(repr, strangers))}; "
            "add each to one of [folds]"
        )
    return [replace(row, fold=fold_of[row.source]) for row in rows]


def ties_cut(rows: Sequence[ManifestRow], protocol: Protocol) -> tuple[Leak, ...]:
    """What the protocol holds out and yet stands in more than one fold (as `Leak.splits`)."""
    fields = [field for field in protocol.held_out if field != "source"]
    by_fold = [replace(row, split=row.fold) for row in with_folds(rows, protocol)]
    return tuple(tie for tie in find_leaks(by_fold, fields) if tie.field in fields)


def components(rows: Sequence[ManifestRow], keys: Sequence[str]) -> list[tuple[ManifestRow, ...]]:
    """Rows tied to each other, directly or over others, by an equal value; largest first.

    Args:
        rows: in any order.
        keys: fields of a row, or ``person``: speaker or identity, by source where unknown. An empty
            value ties nothing.
    """
    parent = list(range(len(rows)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = index = parent[parent[index]]
        return index

    first: dict[tuple[str, str], int] = {}
    for index, row in enumerate(rows):
        for name in _names(row, keys):
            parent[root(index)] = root(first.setdefault(name, index))
    tied: Mapping[int, list[ManifestRow]] = defaultdict(list)
    for index, row in enumerate(rows):
        tied[root(index)].append(row)
    return sorted((tuple(part) for part in tied.values()), key=len, reverse=True)


def is_train_only(row: ManifestRow, protocol: Protocol) -> bool:
    """Whether a row may be trained on and is never measured."""
    return any(getattr(row, field) in values for field, values in protocol.train_only.items())


def _role_of(protocol: Protocol) -> dict[str, str]:
    role_of: dict[str, str] = {}
    for role, folds in protocol.roles.items():
        for fold in folds:
            if role not in _ROLES or fold not in protocol.folds or fold in role_of:
                raise ManifestError(
                    f"protocol {protocol.name}: role {role!r} of fold {fold!r}: a role is one of "
                    f"{', '.join(_ROLES)}, and a fold of [folds] has at most one"
                )
            role_of[fold] = role
    return role_of


def _names(row: ManifestRow, keys: Sequence[str]) -> set[tuple[str, str]]:
    return {(key, getattr(row, key)) for key in keys if getattr(row, key)}
