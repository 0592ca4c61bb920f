"""What an input holds: a cheap stamp to see that it is unchanged, else the SHA-256 of its bytes."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path
from typing import Any

from avdetect.archive.storage import is_url, open_binary, open_storage
from avdetect.archive.work import Entry, Identity
from avdetect.errors import (
    AvdetectError,
    InputError,
    InputNotFoundError,
    UnreadableMediaError,
)
from avdetect.media.source import display_path, open_source
from avdetect.verdict import Failure

# What storages call the thing that changes with the content, the surest first.
_VERSION_KEYS = ("ETag", "etag", "md5Hash", "generation", "LastModified", "mtime", "updated")
_BLOCK_BYTES = 1 << 20


def identify(entry: Entry) -> Identity:
    """Hash an input, or only look at it if it is as it was when it was last hashed.

    An input that cannot be read gives an identity with its problem; nothing is raised for it.

    Raises:
        UsageError: its kind of storage is unknown here, or its driver is not installed.
    """
    try:
        stamp = _stamp(entry.path)
        if stamp is not None and stamp == entry.stamp and entry.sha256 is not None:
            return Identity(entry.position, entry.path, stamp, entry.sha256)
        return Identity(entry.position, entry.path, stamp, _sha256(entry.path))
    except InputError as error:
        problem = Failure(code=error.code, message=str(error))
    except AvdetectError:
        raise
    except Exception as error:  # noqa: BLE001  (disks and drivers of storages raise what they like)
        problem = unreadable(entry.path, error)
    return Identity(entry.position, entry.path, problem=problem)


def unreadable(path: str, error: Exception) -> Failure:
    """The failure of an input whose storage failed while it was read."""
    reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
    said = f"{display_path(path)}: cannot be read: {reason}"
    return Failure(code=InputError.code, message=said)


def _stamp(path: str) -> str | None:
    if is_url(path):
        return _remote_stamp(path)
    try:
        facts = Path(path).stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputNotFoundError(f"{display_path(path)}: no such file") from error
    except ValueError as error:
        raise InputNotFoundError(f"{display_path(path)}: cannot be opened: {error}") from error
    if not stat.S_ISREG(facts.st_mode):
        return None  # opening it says what it is instead
    return f"{facts.st_size}:{facts.st_mtime_ns}"


def _remote_stamp(url: str) -> str | None:
    try:
        filesystem, path = open_storage(url)
        facts: dict[str, Any] = filesystem.info(path)
    except FileNotFoundError as error:
        raise InputNotFoundError(f"{display_path(url)}: no such file") from error
    version = next((facts[key] for key in _VERSION_KEYS if facts.get(key)), None)
    return None if version is None else f"{facts.get('size')}:{version}"


def _sha256(path: str) -> str:
    if not is_url(path):
        with open_source(path) as source:
            return source.sha256
    digest, n_bytes = hashlib.sha256(), 0
    with open_binary(path) as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
            n_bytes += len(block)
    if not n_bytes:
        raise UnreadableMediaError(f"{display_path(path)}: is empty (0 bytes)")
    return digest.hexdigest()
