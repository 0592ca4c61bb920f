"""Where a file beside a verdict may be written: what can be refused before anything is judged."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from avdetect.errors import OutputError, UsageError


def check_place(target: Path, inputs: Iterable[Path], what: str) -> None:
    """Refuse a place where nothing can or must be written.

    Args:
        target: where the file shall be.
        inputs: files that are read and must stay.
        what: the file is, for the message: ``the evidence video``.

    Raises:
        UsageError: it is one of the inputs.
        OutputError: its folder is missing, or nothing can be written there.
    """
    if any(_same_file(path, target) for path in inputs):
        raise UsageError(f"{target}: is the clip itself; give {what} another name")
    if target.is_dir() or not target.name:
        raise OutputError(f"{target}: is a folder; name a file in it")
    if target.exists() and not target.is_file():  # a device would be gone for everybody
        raise OutputError(f"{target}: is a device or pipe, no file; choose another name")
    folder = target.parent
    if not folder.is_dir():
        raise OutputError(f"{target}: there is no folder {folder}; make it or choose another")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{target}: nothing can be written into {folder}; choose another folder")


def _same_file(source: Path, target: Path) -> bool:
    return source.exists() and target.exists() and source.samefile(target)
