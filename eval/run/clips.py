"""Which clips a protocol measures: read, cut into folds, checked for leaks before any score."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eval.answers import ANSWERS
from eval.datasets.read import protocol_rows
from eval.errors import ManifestError
from eval.manifest.folds import assign_folds, fold_split
from eval.manifest.leaks import refuse_leaks
from eval.manifest.row import ManifestRow
from eval.protocol import Protocol

_MEDIA = ("id", "path", "audio_path", "start_s", "end_s")  # what is scanned under an id


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """The rows of one protocol.

    Attributes:
        rows: every row, with fold and split.
        measured: rows of the protocol's splits: what this weight file is measured on.
        cross_validated: rows that are held out once when the procedure is trained fold by fold.
        manifest_sha256: of all rows.
    """

    rows: tuple[ManifestRow, ...]
    measured: tuple[ManifestRow, ...]
    cross_validated: tuple[ManifestRow, ...]
    manifest_sha256: str


def read_clips(protocol: Protocol, root: Path) -> Clips:
    """Read the protocol's data and check it.

    Args:
        protocol: what is measured.
        root: data root that ``manifest`` and the data set's paths are relative to.

    Raises:
        ManifestError: the data is not of its layout, or no row is in the protocol's splits.
        LeakError: two splits share what the protocol holds out.
    """
    _refuse_unknown_words(protocol)
    rows = protocol_rows(protocol, root)
    folded = assign_folds(rows, protocol) if protocol.folds else rows
    refuse_leaks(folded, protocol.held_out, name=f"protocol {protocol.name}")
    measured = tuple(row for row in folded if row.split in protocol.splits)
    if not measured:
        raise ManifestError(
            f"protocol {protocol.name}: no row of split {', '.join(protocol.splits)}; "
            f"there are: {', '.join(sorted({row.split for row in folded}))}"
        )
    return Clips(
        rows=tuple(folded),
        measured=measured,
        cross_validated=_cross_validated(folded, protocol),
        manifest_sha256=manifest_sha256(folded),
    )


def run_fingerprint(protocol: Protocol, measured: Sequence[ManifestRow] = ()) -> str:
    """Short hash of what decides which clip stands behind an id and whether it is measured.

    Titles, conditions and operating points are left out: they change tables, not scores. Of a
    manifest, which anybody may edit, the measured media count too; a published layout is fixed.
    """
    decisive: dict[str, Any] = {
        "name": protocol.name,
        "dataset": protocol.dataset,
        "manifest": protocol.manifest,
        "splits": protocol.splits,
        "folds": dict(protocol.folds),
        "roles": dict(protocol.roles),
    }
    if protocol.manifest:
        decisive["media"] = [[getattr(row, name) for name in _MEDIA] for row in measured]
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:16]


def manifest_sha256(rows: Sequence[ManifestRow]) -> str:
    """Hash over every field of every row, in order."""
    text = json.dumps([asdict(row) for row in rows], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def spread(rows: Sequence[ManifestRow], limit: int | None) -> tuple[ManifestRow, ...]:
    """So many rows, spread evenly over the table; None keeps all."""
    if limit is None or limit >= len(rows):
        return tuple(rows)
    return tuple(rows[index * len(rows) // limit] for index in range(limit))


def _refuse_unknown_words(protocol: Protocol) -> None:
    fields = tuple(field.name for field in dataclasses.fields(ManifestRow))
    for key, words, known in (
        ("answers", protocol.answers, tuple(ANSWERS)),
        ("conditions", protocol.conditions, fields),
        ("peers", (protocol.peers,), ("", "audio", "video")),
    ):
        unknown = [word for word in words if word not in known]
        if unknown:
            raise ManifestError(
                f"protocol {protocol.name}: {key} names {unknown[0]!r}; "
                f"there are: {', '.join(filter(None, known))}"
            )


def _cross_validated(rows: Sequence[ManifestRow], protocol: Protocol) -> tuple[ManifestRow, ...]:
    folds = dict.fromkeys(fold for folds in protocol.sets.values() for fold in folds)
    return tuple(row for fold in folds for row in fold_split(rows, protocol, fold)[1])
