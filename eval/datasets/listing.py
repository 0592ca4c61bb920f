"""Protocol files of data sets: tables with a header, lists without; refused if they are others."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from eval.errors import ManifestError


def read_table(path: Path, columns: Sequence[str], *, delimiter: str = ",") -> list[dict[str, str]]:
    """Rows of a table with a header, as dicts; further columns are kept.

    Args:
        path: UTF-8 file, with or without byte order mark.
        columns: what the header must hold.
        delimiter: between two cells.

    Raises:
        ManifestError: no such file, a column is missing, or a row is longer or shorter.
    """
    lines = list(csv.reader(io.StringIO(_text(path, columns)), delimiter=delimiter))
    header = [name.strip() for name in lines[0]] if lines else []
    _check_header(path, header, columns, delimiter)
    return [
        _record(path, number, header, cells, delimiter)
        for number, cells in enumerate(lines[1:], start=2)
        if cells
    ]


def read_words(path: Path, names: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a list without a header, words between spaces or tabs, as dicts by ``names``.

    Raises:
        ManifestError: no such file, or a line with another number of words.
    """
    rows = []
    for number, line in enumerate(_text(path, names).split("\n"), start=1):
        words = line.split()
        if words and len(words) != len(names):
            raise ManifestError(
                f"{path}: line {number}: {len(words)} words, expected {len(names)}: "
                f"{' '.join(names)}; is this the published file?"
            )
        if words:
            rows.append(dict(zip(names, words, strict=True)))
    return rows


def read_unquoted(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a table between ``|``, with a header; the last column is free text, quotes and all.

    Args:
        path: UTF-8 file, one row a line.
        columns: what the header must hold.

    Raises:
        ManifestError: no such file, a column is missing, or a row is too short.
    """
    lines = _text(path, columns).split("\n")
    header = lines[0].strip().split("|")
    _check_header(path, header, columns, "|")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = line.rstrip("\r").split("|", len(header) - 1)
        if line.strip():
            rows.append(_record(path, number, header, cells, "|"))
    return rows


def _check_header(path: Path, header: list[str], columns: Sequence[str], delimiter: str) -> None:
    missing = [name for name in columns if name not in header]
    if missing:
        raise ManifestError(
            f"{path}: no column {', '.join(missing)}; expected a header with "
            f"{delimiter.join(columns)}: is this the published file?"
        )


def _record(
    path: Path, number: int, header: list[str], cells: list[str], delimiter: str
) -> dict[str, str]:
    if len(cells) != len(header):
        raise ManifestError(
            f"{path}: line {number}: {len(cells)} cells, expected {len(header)} "
            f"({delimiter.join(header)}); fetch the file again"
        )
    return {name: cell.strip() for name, cell in zip(header, cells, strict=True)}


def _text(path: Path, names: Sequence[str]) -> str:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise ManifestError(
            f"{path} is not there: expected the data set's list with {' '.join(names)}"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: cannot be read as UTF-8 text: {error}") from error
