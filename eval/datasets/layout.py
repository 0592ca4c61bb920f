"""Published layouts that are folders and JSON files: find, open, check, and say what was expected.

Two people in one clip. Of a swapped or reenacted clip `ManifestRow.identity` is the person filmed
(the *target*) and `source` the one whose face or motion was put in (the *donor*), in the same
words; a clip of one person names that person in both. A leak check over both fields then finds a
person who is filmed in one split and worn in another, because her real clips link the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from avdetect.types import Segment
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow

VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm")

Entry = TypeVar("Entry")
_CELEBRITY = re.compile(r"id\d+")


def first_there(root: Path, names: Sequence[str]) -> Path:
    """The first of these files or folders that is below ``root``.

    Raises:
        ManifestError: none of them is.
    """
    for name in names:
        if (root / name).exists():
            return root / name
    raise ManifestError(
        f"{root}: expected {' or '.join(names)} there; give the folder that the data set unpacks to"
    )


def read_json(path: Path, form: type[Any]) -> Any:
    """A JSON file whose outermost value is a ``form`` (list or dict).

    Raises:
        ManifestError: no such file, no JSON, or another outermost value.
    """
    try:
        value = json.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError as error:
        raise ManifestError(f"{path} is not there: expected the data set's metadata") from error
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path}: cannot be read as JSON: {error}; fetch it again") from error
    if not isinstance(value, form):
        raise ManifestError(
            f"{path}: expected a JSON {form.__name__}, found {type(value).__name__}: "
            "is this the published file?"
        )
    return value


def read_entries(path: Path, keys: Sequence[str], inside: str = "") -> list[dict[str, Any]]:
    """Objects of a JSON list, each of which holds ``keys``.

    Args:
        path: the file.
        keys: what every object must hold.
        inside: key of the list, where it stands within an object.

    Raises:
        ManifestError: as `read_json`, or an entry is no object or lacks a key.
    """
    entries = read_json(path, dict).get(inside) if inside else read_json(path, list)
    if not isinstance(entries, list):
        raise ManifestError(f"{path}: expected a list {inside!r}: is this the published file?")
    for number, entry in enumerate(entries, start=1):
        missing = [k for k in keys if not isinstance(entry, dict) or k not in entry]
        if missing:
            raise ManifestError(
                f"{path}: entry {number}: no {', '.join(missing)}; expected objects with "
                f"{', '.join(keys)}"
            )
    return entries


def make_rows(
    path: Path, entries: Iterable[Entry], make: Callable[[Entry], ManifestRow | None]
) -> list[ManifestRow]:
    """One row an entry, none where ``make`` gives None; tells a bad value's file and number.

    Raises:
        ManifestError: ``make`` met a value of a wrong type or form.
    """
    rows = []
    for number, entry in enumerate(entries, start=1):
        try:
            row = make(entry)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise ManifestError(
                f"{path}: entry {number}: {error}; is this the published file?"
            ) from error
        if row is not None:
            rows.append(row)
    return rows


def media_below(folder: Path, suffixes: Sequence[str] = VIDEO_SUFFIXES) -> list[Path]:
    """Media files below ``folder`` at any depth, sorted; none if there is no such folder."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes)


def media_by_name(folder: Path, suffixes: Sequence[str] = VIDEO_SUFFIXES) -> dict[str, Path]:
    """Media files below ``folder`` by file name.

    Raises:
        ManifestError: two of them have the same name.
    """
    files: dict[str, Path] = {}
    for path in media_below(folder, suffixes):
        if path.name in files:
            raise ManifestError(
                f"{folder}: {path.name} is there twice ({files[path.name]}, {path}); keep one"
            )
        files[path.name] = path
    return files


def inside(*parts: str) -> str:
    """Join path parts that a metadata file names; raises `ValueError` if they lead outside."""
    path = PurePosixPath(*(part.replace("\\", "/") for part in parts))
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"path {str(path)!r} leads out of the data set")
    return str(path)


def relative(path: Path, root: Path) -> str:
    """POSIX path of a file below the data set's root."""
    return path.relative_to(root).as_posix()


def segments(pairs: Iterable[Sequence[float]]) -> tuple[Segment, ...] | None:
    """Forged parts from ``[start, end]`` in seconds; None (unknown) if there are none."""
    return tuple(Segment(float(start), float(end)) for start, end in pairs) or None


def pick(value: str, known: Mapping[str, Entry], what: str) -> Entry:
    """What ``value`` means; raises `ValueError` that lists the known words if it is none."""
    if value not in known:
        raise ValueError(f"{what} {value!r}: expected one of {', '.join(known)}")
    return known[value]


def celebrities(stem: str) -> tuple[str, str]:
    """Target and donor of a file named in the manner of Celeb-DF, such as ``id0_id1_0002``.

    Returns:
        Both the same if one is named, both empty if none is.
    """
    named = _CELEBRITY.findall(stem)
    return (named[0], named[1] if len(named) > 1 else named[0]) if named else ("", "")
