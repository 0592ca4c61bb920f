"""Files wherever they lie: local ones directly, URLs such as s3:// and gs:// through fsspec."""

from __future__ import annotations

import re
from pathlib import Path
from typing import IO, Any

from avdetect.errors import InputNotFoundError, UsageError
from avdetect.media.source import display_path

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def is_url(path: str) -> bool:
    """Whether a path is fsspec's to open, such as ``s3://bucket/a.wav``."""
    return _SCHEME.match(path) is not None


def open_storage(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path within it.

    Raises:
        UsageError: no such kind of storage, or its driver is not installed.
    """
    try:
        from fsspec.core import url_to_fs

        filesystem, path = url_to_fs(url)
    except ImportError as error:
        raise UsageError(f"{display_path(url)}: needs a driver that is absent: {error}") from error
    except ValueError as error:  # fsspec's word for a scheme it does not know
        raise UsageError(f"{display_path(url)}: {error}") from error
    return filesystem, path


def open_binary(path: str) -> IO[bytes]:
    """Open a file to read, wherever it lies.

    Raises:
        InputNotFoundError: it is not there or may not be read.
        UsageError: see `open_storage`.
    """
    try:
        if is_url(path):
            filesystem, inner = open_storage(path)
            stream: IO[bytes] = filesystem.open(inner, "rb")
            return stream
        return Path(path).open("rb")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputNotFoundError(f"{display_path(path)}: cannot be read: {reason}") from error
