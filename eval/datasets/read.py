"""Rows by the name of a data set, or of what a protocol names."""

from __future__ import annotations

from pathlib import Path

from eval.datasets import DATASETS
from eval.errors import ManifestError
from eval.manifest.file import read_manifest
from eval.manifest.row import ManifestRow
from eval.protocol import Protocol


def protocol_rows(protocol: Protocol, root: Path) -> list[ManifestRow]:
    """Every row of a protocol's data, before any fold is assigned.

    Args:
        protocol: names a manifest or a data set.
        root: data root that both are relative to.

    Raises:
        ManifestError: no such manifest or data set, or its files are not of its layout.
    """
    if protocol.manifest:
        return read_manifest(root / protocol.manifest)
    return read_dataset(protocol.dataset, root)


def read_dataset(name: str, root: Path) -> list[ManifestRow]:
    """Rows of a data set by name; raises `ManifestError` for an unknown one or another layout."""
    if name not in DATASETS:
        raise ManifestError(f"no data set {name!r}; there are: {', '.join(sorted(DATASETS))}")
    return DATASETS[name].read(root)
