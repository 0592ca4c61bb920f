"""Where a shielded file goes: refused before any work is done, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from avdetect.errors import OutputError, UsageError

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")
SOUND_SUFFIXES = (".wav", ".flac")


def default_target(source: Path, suffix: str) -> Path:
    """Beside the source: ``face.jpg`` gives ``face.shielded.png``."""
    return source.with_name(f"{source.stem}.shielded{suffix}")


def check_target(target: Path, source: Path, suffixes: tuple[str, ...], *, replace: bool) -> None:
    """Refuse a place that cannot or must not be written.

    Raises:
        UsageError: a suffix that is not among ``suffixes``, or the source itself.
        OutputError: it is there already, its folder is missing, or nothing can be written there.
    """
    if target.suffix.lower() not in suffixes:
        raise UsageError(f"{target}: end its name in {' or '.join(suffixes)}")
    if _same_file(source, target):
        raise UsageError(f"{target}: is the input itself, which stays as it is; give another --out")
    if target.is_dir():
        raise OutputError(f"{target}: is a folder; name a file in it")
    if target.exists() and not target.is_file():  # a device would be gone for everybody
        raise OutputError(f"{target}: is a device or pipe, no file; give another --out")
    if target.exists() and not replace:
        raise OutputError(f"{target}: is there already; give another --out, or --force")
    if not target.parent.is_dir():
        raise OutputError(f"{target}: there is no folder {target.parent}; make it first")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{target}: nothing can be written into {target.parent}")


def write_whole(target: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a file beside the target, then put it in its place.

    Raises:
        OutputError: the disk is full or the folder may not be written.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".avdetect-", dir=target.parent) as scratch:
            part = Path(scratch) / target.name
            write(part)
            part.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror or error}") from error


def _same_file(source: Path, target: Path) -> bool:
    try:
        return os.path.samefile(source, target)  # noqa: PTH121  (either may be missing)
    except OSError:
        return False
