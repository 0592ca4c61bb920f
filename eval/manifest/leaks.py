"""Refuse to score splits that share a person, a source, a generator or a file."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from eval.errors import LeakError
from eval.manifest.row import ManifestRow

UNUSED = "unused"
HOLDABLE = ("speaker", "identity", "source", "generator")  # what may be held out
_FILES = ("id", "path", "audio_path")  # the same file in two splits is a leak, whatever is held out
_SHOWN = 3


@dataclass(frozen=True, order=True, slots=True, kw_only=True)
class Leak:
    """One value that stands in two or more splits.

    Attributes:
        field: ``speaker``, ``identity``, ``source``, ``generator``, ``id``, ``path`` (sound of a
            silent picture included).
        value: the shared speaker, …, or file.
        splits: where it stands, sorted.
        n_rows: rows that hold it, over all of them.
    """

    field: str
    value: str
    splits: tuple[str, ...]
    n_rows: int

    def __str__(self) -> str:
        return f"{self.field} {self.value!r} in {' and '.join(self.splits)}"


def find_leaks(rows: Sequence[ManifestRow], held_out: Sequence[str]) -> tuple[Leak, ...]:
    """What two splits share though they must not, sorted by field and value.

    Args:
        rows: rows with an empty split or split ``unused`` take no part.
        held_out: fields that may not be shared, of `HOLDABLE`; an empty value is unknown and never
            leaks. An id or a media file in two splits always does.
    """
    where: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        if row.split in ("", UNUSED):
            continue
        for key in {_name(row, field) for field in (*held_out, *_FILES)}:
            if key[1]:
                where[key].append(row.split)
    return tuple(
        sorted(
            Leak(field=field, value=value, splits=tuple(sorted(set(splits))), n_rows=len(splits))
            for (field, value), splits in where.items()
            if len(set(splits)) > 1
        )
    )


def _name(row: ManifestRow, field: str) -> tuple[str, str]:
    """(kind, value), the same for two spellings: a blank at an end, ``./`` in a path."""
    value: str = getattr(row, field).strip()
    if field in ("path", "audio_path"):
        # One kind for both: the sound of one clip may be the whole of another.
        return "path", posixpath.normpath(value) if value else ""
    return field, value


def refuse_leaks(rows: Sequence[ManifestRow], held_out: Sequence[str], *, name: str) -> None:
    """Raise `LeakError` if two splits share what they must not; ``name`` is the manifest's."""
    leaks = find_leaks(rows, held_out)
    if leaks:
        shown = "; ".join(str(leak) for leak in leaks[:_SHOWN])
        more = f" and {len(leaks) - _SHOWN} more" if len(leaks) > _SHOWN else ""
        raise LeakError(
            f"{name}: {len(leaks)} leak{'s' * (len(leaks) > 1)} between splits: {shown}{more}; "
            f"move these rows to one split or to {UNUSED!r}"
        )
