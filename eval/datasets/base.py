"""What a reader of a data set is: its name, what it reads, and where its layout is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from eval.manifest.row import ManifestRow

Read = Callable[[Path], list[ManifestRow]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Where a fact about a layout was read.

    Attributes:
        what: the fact, such as ``protocol columns``.
        where: repository file, data page or paper.
        confirmed: False where it could not be checked against the primary source.
    """

    what: str
    where: str
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One data set in its published layout.

    Attributes:
        name: key of `eval.datasets.DATASETS`.
        title: name and year as its paper has them.
        read: data root -> every row its protocol files list, in their order. A row whose media is
            not there stays in (it counts against coverage); raises `ManifestError` that says what
            was expected where if a protocol file is absent or of another layout.
        layout: the folders and files `read` expects, as an indented listing.
        splits: names that `ManifestRow.split` takes; a set without official parts is all ``test``.
        citations: where the layout was read.
        held_out: what the data set keeps apart between its splits, of ``speaker``, ``identity``,
            ``source`` and ``generator``.
    """

    name: str
    title: str
    read: Read
    layout: str
    splits: tuple[str, ...]
    citations: tuple[Citation, ...]
    held_out: tuple[str, ...] = ()
