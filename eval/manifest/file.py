"""Manifests as files: CSV or Parquet, one column a field of `ManifestRow`, checked row by row.

The forged part of a clip is one word: ``1.2-3.4;5-5.64`` in seconds. An empty word says *nothing is
forged* on a real row and *it is not known which part* on a fake one, so a fake row without any
forged part cannot be written: there is no such clip.
"""

from __future__ import annotations

import contextlib
import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from avdetect.errors import OutputError
from avdetect.types import Segment
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow

COLUMNS = tuple(field.name for field in fields(ManifestRow))
_SECONDS = ("start_s", "end_s", "duration_s")
_REQUIRED = [field.name for field in fields(ManifestRow) if field.default is MISSING]
_SEGMENT = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)")
_TYPES = {"rate_hz": pa.int64()} | dict.fromkeys(_SECONDS, pa.float64())
_SCHEMA = pa.schema([(name, _TYPES.get(name, pa.string())) for name in COLUMNS])


def read_manifest(path: Path) -> list[ManifestRow]:
    """Read a manifest, ``.csv`` or ``.parquet``, in its order.

    Raises:
        ManifestError: no such file or suffix, columns unknown or missing, an id twice, or a value
            that cannot be; names the file, the row (1 is the first below the header) and the cure.
    """
    rows: list[ManifestRow] = []
    first: dict[str, int] = {}
    for number, cells in enumerate(_cells(path), start=1):
        try:
            row = _row(cells)
        except ValueError as error:
            raise ManifestError(f"{path}: row {number}: {error}") from error
        if row.id in first:
            raise ManifestError(
                f"{path}: row {number}: id {row.id!r} stands in row {first[row.id]} already; "
                "give every row an id of its own"
            )
        first[row.id] = number
        rows.append(row)
    if not rows:
        raise ManifestError(f"{path}: holds no row below its header; write it anew")
    return rows


def write_manifest(path: Path, rows: Sequence[ManifestRow]) -> None:
    """Write a manifest, ``.csv`` or ``.parquet``, whole or not at all.

    Raises:
        ManifestError: another suffix, an id twice, or a fake row whose forged part is said to be
            empty (None is *unknown*).
        OutputError: the file cannot be written there.
    """
    _check_suffix(path)
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        if row.id in seen:
            raise ManifestError(f"{path}: row {number}: id {row.id!r} twice; ids must be unique")
        if row.label == "fake" and row.fake_segments == ():
            raise ManifestError(
                f"{path}: row {number}: {row.id!r} is fake with no forged part; "
                "give its fake_segments, or None where they are unknown"
            )
        seen.add(row.id)
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        (_write_csv if path.suffix == ".csv" else _write_parquet)(part, rows)
        part.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def segments_text(segments: Iterable[Segment]) -> str:
    """Segments as one word, such as ``1.2-3.4;5-5.64``: shortest digits that read back exactly."""
    return ";".join(f"{_digits(s.start_s)}-{_digits(s.end_s)}" for s in segments)


def parse_segments(text: str) -> tuple[Segment, ...]:
    """The segments of one word; raises `ValueError` with the form that is wanted."""
    found = []
    for word in text.split(";"):
        match = _SEGMENT.fullmatch(word.strip())
        if match is None:
            raise ValueError(f"fake_segments {text!r}: want seconds as 1.2-3.4;5-5.64")
        found.append(Segment(float(match[1]), float(match[2])))
    return tuple(found)


def _check_suffix(path: Path) -> None:
    if path.suffix not in (".csv", ".parquet"):
        raise ManifestError(f"{path}: a manifest is a .csv or .parquet file; rename it")


def _cells(path: Path) -> Iterator[dict[str, str]]:
    _check_suffix(path)
    if not path.is_file():
        raise ManifestError(f"{path}: no such manifest; write one with python -m eval manifest")
    try:
        yield from (_csv_cells if path.suffix == ".csv" else _parquet_cells)(path)
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise ManifestError(f"{path}: cannot be read ({reason}); write it anew") from error


def _csv_cells(path: Path) -> Iterator[dict[str, str]]:
    # Excel puts a byte order mark in front; utf-8-sig takes files with and without it.
    with path.open(newline="", encoding="utf-8-sig") as stream:
        lines = csv.reader(stream)
        header = next(lines, [])
        _check_columns(path, header)
        for number, cells in enumerate(lines, start=1):
            if len(cells) != len(header):
                raise ManifestError(
                    f"{path}: row {number}: {len(cells)} cells under {len(header)} columns; "
                    "quote values that hold a comma"
                )
            yield dict(zip(header, cells, strict=True))


def _parquet_cells(path: Path) -> Iterator[dict[str, str]]:
    table = pq.read_table(path)
    _check_columns(path, table.column_names)
    for record in table.to_pylist():
        yield {name: "" if value is None else str(value) for name, value in record.items()}


def _check_columns(path: Path, header: Sequence[str]) -> None:
    missing = [name for name in COLUMNS if name not in header]
    unknown = sorted(set(header) - set(COLUMNS))
    twice = sorted({name for name in header if header.count(name) > 1})
    for what, names in (("missing", missing), ("unknown", unknown), ("repeated", twice)):
        if names:
            raise ManifestError(
                f"{path}: {what} columns: {', '.join(names)}; the columns are {', '.join(COLUMNS)}"
            )


def _row(cells: dict[str, str]) -> ManifestRow:
    values: dict[str, Any] = dict(cells)
    for name in _REQUIRED:
        if not cells[name]:
            raise ValueError(f"{name} is empty; every row needs one")
    for name in _SECONDS:
        values[name] = _number(name, cells[name])
    rate = _number("rate_hz", cells["rate_hz"])
    if rate is not None and rate != int(rate):
        raise ValueError(f"rate_hz {cells['rate_hz']!r}: want whole samples a second")
    values["rate_hz"] = None if rate is None else int(rate)
    text = cells["fake_segments"].strip()
    values["fake_segments"] = parse_segments(text) if text else None
    return ManifestRow(**values)


def _number(name: str, text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} {text!r}: want a number of at least 0, or nothing if unknown")
    return value


def _digits(seconds: float) -> str:
    return np.format_float_positional(seconds, trim="-")


def _record(row: ManifestRow) -> dict[str, Any]:
    record = {name: getattr(row, name) for name in COLUMNS}
    return record | {"fake_segments": segments_text(row.fake_segments or ())}


def _write_csv(path: Path, rows: Sequence[ManifestRow]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_record(row) for row in rows)


def _write_parquet(path: Path, rows: Sequence[ManifestRow]) -> None:
    pq.write_table(pa.Table.from_pylist([_record(row) for row in rows], schema=_SCHEMA), path)
