"""Which clips the voice recipe may learn from, is chosen by and is measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eval.datasets.read import protocol_rows
from eval.manifest.folds import assign_folds, is_train_only
from eval.manifest.leaks import refuse_leaks
from eval.manifest.row import ManifestRow
from eval.protocol import Protocol, read_protocol
from eval.shared_data import shared_root

PROTOCOL = "voice"


def voice_rows() -> list[ManifestRow]:
    """Every speech clip of the data folder; raises `ManifestError` without it."""
    return protocol_rows(read_protocol(PROTOCOL), shared_root())


def measurable(rows: Sequence[ManifestRow], protocol: Protocol) -> list[ManifestRow]:
    """Rows that the protocol may measure.

    The linear judge learns from these alone: the others were coded once more than any fake.
    """
    return [row for row in rows if not is_train_only(row, protocol)]


def shipped_split(
    rows: Sequence[ManifestRow], protocol: Protocol
) -> tuple[list[ManifestRow], dict[str, list[ManifestRow]]]:
    """What the shipped weights learn from, and what they are measured on by fold.

    Raises:
        LeakError: a speaker, source, generator or file stands on both sides.
    """
    found = assign_folds(rows, protocol)
    refuse_leaks(found, protocol.held_out, name=f"protocol {protocol.name}")
    test = {
        fold: [row for row in found if row.fold == fold and row.split == "test"]
        for fold in protocol.roles["test"]
    }
    return [row for row in found if row.split == "train"], test


def development_split(
    rows: Sequence[ManifestRow], protocol: Protocol, development: str
) -> tuple[list[ManifestRow], list[ManifestRow]]:
    """(training, development): one training fold is set apart, by which settings are chosen.

    Neither shares a speaker, source or generator with the other or with a measured row.
    """
    others = tuple(fold for fold in protocol.roles["train"] if fold != development)
    roles = {"train": others, "calibration": (development,), "test": protocol.roles["test"]}
    found = assign_folds(rows, replace(protocol, roles=roles))
    refuse_leaks(found, protocol.held_out, name=f"protocol {protocol.name}")
    return (
        [row for row in found if row.split == "train"],
        [row for row in found if row.split == "calibration"],
    )
