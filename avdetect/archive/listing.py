"""What an archive consists of: a folder searched for media, or a manifest read line by line.

Nothing is ever held whole: a listing is a stream of names. A name is relative to the archive's
root (the folder, or the folder that holds the manifest), an absolute path, or a URL.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from avdetect.archive.storage import is_url, open_binary, open_storage
from avdetect.errors import InputNotFoundError, UsageError
from avdetect.media.source import display_path
from avdetect.verdict import Failure

_COLUMN = "path"
_BATCH_ROWS = 10_000  # of a Parquet manifest held at once
_UTF8_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a listing: a name, or a folder that could not be searched and why."""

    name: str
    problem: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A folder or manifest, local or remote.

    Attributes:
        given: as the user named it.
        root: absolute folder or URL that relative names stand in.
        manifest: absolute path or URL of the manifest, None for a folder.
    """

    given: str
    root: str
    manifest: str | None

    @property
    def source(self) -> str:
        """What it is, wherever it is called from."""
        return self.manifest or self.root

    def locate(self, name: str) -> str:
        """Absolute path or URL of a name."""
        if is_url(name) or os.path.isabs(name):  # noqa: PTH117  (the name may not be UTF-8)
            return name
        return f"{self.root.rstrip('/')}/{name}"

    def shown(self, name: str) -> str:
        """What the results call it: as the manifest does, or below the folder as it was given."""
        if self.manifest is not None or is_url(name):
            return display_path(name)
        return display_path(f"{self.given.rstrip('/')}/{name}")


def find_archive(given: str) -> Archive:
    """Say whether a folder or a manifest was named.

    Raises:
        InputNotFoundError: neither is there.
        UsageError: no such kind of storage, or its driver is not installed.
    """
    if is_url(given):
        filesystem, path_within = open_storage(given)
        try:
            kind = filesystem.info(path_within)["type"]
        except FileNotFoundError:
            kind = None
        except Exception as error:  # drivers raise what they like, for want of a key, say
            said = f"{display_path(given)}: cannot be read: {type(error).__name__}: {error}"
            raise InputNotFoundError(said) from error
        if kind == "directory":
            return Archive(given=given, root=given.rstrip("/"), manifest=None)
        if kind is not None:
            return Archive(given=given, root=given.rpartition("/")[0], manifest=given)
        raise InputNotFoundError(f"{display_path(given)}: no such folder or manifest")
    path = Path(given).absolute()
    if path.is_dir():
        return Archive(given=given, root=str(path), manifest=None)
    if path.exists():
        return Archive(given=given, root=str(path.parent), manifest=str(path))
    raise InputNotFoundError(f"{display_path(given)}: no such folder or manifest")


def list_archive(archive: Archive, suffixes: Collection[str]) -> Iterator[Listed]:
    """Stream an archive's inputs.

    Args:
        archive: from `find_archive`.
        suffixes: what a folder is searched for, lower case with the dot; a manifest names what it
            will, and a file it names twice is two inputs.

    Raises:
        UsageError: the manifest has no column ``path``, or is not what its suffix says.
    """
    if archive.manifest is not None:
        return _read_manifest(archive.manifest)
    if is_url(archive.root):
        return _walk_remote(archive.root, suffixes)
    return _walk(archive.root, "", suffixes)


def _walk(root: str, below: str, suffixes: Collection[str]) -> Iterator[Listed]:
    folders = []
    try:
        # Entries come as the disk gives them: a folder of a million files is not held to sort it.
        with os.scandir(os.path.join(root, below)) as entries:  # noqa: PTH118  (bytes that are no text)
            for entry in entries:
                name = f"{below}/{entry.name}" if below else entry.name
                try:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(name)
                    elif _has_suffix(entry.name, suffixes) and entry.is_file():
                        yield Listed(name)
                except OSError as error:  # of this entry alone, such as a link to itself
                    yield _unlisted(name, "cannot be opened", error)
    except OSError as error:
        yield _unlisted(below or ".", "the folder cannot be read", error)
    for folder in folders:
        yield from _walk(root, folder, suffixes)


def _unlisted(name: str, what: str, error: OSError) -> Listed:
    reason = f"{what}: {error.strerror}"
    return Listed(name, Failure(code=InputNotFoundError.code, message=reason))


def _walk_remote(root: str, suffixes: Collection[str]) -> Iterator[Listed]:
    filesystem, top = open_storage(root)
    for parent, _, files in filesystem.walk(top):
        below = str(parent).removeprefix(top.rstrip("/")).strip("/")
        for name in sorted(files):
            if _has_suffix(name, suffixes):
                yield Listed(f"{below}/{name}" if below else str(name))


def _has_suffix(name: str, suffixes: Collection[str]) -> bool:
    return PurePosixPath(name).suffix.lower() in suffixes


def _read_manifest(path: str) -> Iterator[Listed]:
    suffix = PurePosixPath(path).suffix.lower()
    read = _READERS.get(suffix, _read_lines)
    with open_binary(path) as stream:
        try:
            for name in read(stream, display_path(path)):
                if name:
                    yield Listed(name)
        except (UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
            said = f"{display_path(path)}: cannot be read as a manifest: {error}"
            raise UsageError(said) from error


def _read_lines(stream: IO[bytes], name: str) -> Iterator[str]:
    # As the file system spells names, which need not be UTF-8.
    for number, line in enumerate(stream):
        text = os.fsdecode(line.rstrip(b"\r\n"))
        if "\0" in text:
            raise UsageError(
                f"{name}: is no manifest: give a text file of one path per line, or a .csv, "
                f".jsonl or .parquet with a column {_COLUMN!r}"
            )
        yield text.removeprefix(_UTF8_MARK) if number == 0 else text


def _read_csv(stream: IO[bytes], name: str) -> Iterator[str]:
    with io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="") as text:
        rows = csv.DictReader(text)
        _require_column(rows.fieldnames or (), name)
        for row in rows:
            yield row[_COLUMN] or ""


def _read_json_lines(stream: IO[bytes], name: str) -> Iterator[str]:
    for line in stream:
        if not line.strip():
            continue
        row = json.loads(line)
        _require_column(row if isinstance(row, dict) else (), name)
        yield str(row[_COLUMN])


def _read_parquet(stream: IO[bytes], name: str) -> Iterator[str]:
    import pyarrow
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(stream)
        _require_column(table.schema_arrow.names, name)
        for batch in table.iter_batches(_BATCH_ROWS, columns=[_COLUMN]):
            yield from (str(value) for value in batch.column(0).to_pylist() if value is not None)
    except pyarrow.ArrowInvalid as error:
        raise UsageError(f"{name}: cannot be read as Parquet: {error}") from error


_READERS: dict[str, Callable[[IO[Any], str], Iterator[str]]] = {
    ".csv": _read_csv,
    ".jsonl": _read_json_lines,
    ".parquet": _read_parquet,
}


def _require_column(columns: Iterable[str], name: str) -> None:
    if _COLUMN not in set(columns):
        raise UsageError(f"{name}: a manifest of this kind needs a column {_COLUMN!r}")
