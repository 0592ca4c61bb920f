"""The results of a run: one flat row an input, as Parquet or JSON Lines, whole or not at all."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO

from avdetect.archive.journal import Settled
from avdetect.archive.storage import is_url, open_storage
from avdetect.errors import OutputError, UsageError
from avdetect.media.source import display_path
from avdetect.types import Decision
from avdetect.verdict import Failure, Input, Verdict

# Columns of the branches, fixed by the file format; a test holds them to `avdetect.branches`.
BRANCHES = ("voice_clone", "visual_forgery", "lip_sync")
COLUMNS = {
    "path": "string",
    "sha256": "string",
    "decision": "string",
    "fake_llr": "double",
    "fake_probability": "double",
    "prior_fake": "double",
    "reason": "string",
    **dict.fromkeys(BRANCHES, "double"),
    "missing": "string",
    "duration_s": "double",
    "speech_s": "double",
    "error_code": "string",
    "error": "string",
    "model": "string",
    "verdict": "string",
}
_GROUP_ROWS = 1000

Row = dict[str, str | float | None]


@dataclass(slots=True)
class Tally:
    """What was written, counted.

    Attributes:
        n_rows: one an input.
        decisions: of the inputs that were judged, by word.
        failures: inputs that were not, by the code of why.
    """

    n_rows: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row) -> None:
        """Count one row."""
        self.n_rows += 1
        if row["error_code"] is None:
            self.decisions[str(row["decision"])] += 1
        else:
            self.failures[str(row["error_code"])] += 1


def result_row(settled: Settled, path: str, *, prior_fake: float, model: str) -> Row:
    """The row of one input.

    Args:
        settled: what came of it.
        path: what to call it.
        prior_fake: of the run, for inputs without a verdict.
        model: fingerprint of what judged, see `avdetect.archive.fingerprint`.

    Returns:
        Every column of the results. Figures are LLRs (natural logarithm, > 0 favours fake),
        probabilities or seconds, None where there is no evidence; ``verdict`` is the whole verdict
        as JSON without its timeline.
    """
    verdict = _named(settled.verdict or _unjudged(settled, path, prior_fake), path)
    llrs = {name: branch.fake_llr for name, branch in verdict.branches.items()}
    return {
        "path": path,
        "sha256": settled.sha256,
        "decision": verdict.decision.value,
        "fake_llr": verdict.fake_llr,
        "fake_probability": verdict.fake_probability,
        "prior_fake": verdict.prior_fake,
        "reason": verdict.reason,
        **{name: llrs.get(name) for name in BRANCHES},
        "missing": "; ".join(f"{name}: {why}" for name, why in sorted(verdict.missing.items())),
        "duration_s": verdict.input.duration_s,
        "speech_s": verdict.quality.speech_s,
        "error_code": verdict.error.code if verdict.error else None,
        "error": verdict.error.message if verdict.error else None,
        "model": model,
        "verdict": verdict.to_json(),
    }


def write_results(rows: Iterator[Row], out: str) -> Tally:
    """Write the results, as the suffix of ``out`` says; an earlier file stays until they are whole.

    Args:
        rows: from `result_row`.
        out: path or URL that `check_out` let pass.

    Raises:
        OutputError: they cannot be written; nothing partial is left.
    """
    tally = Tally()
    write = _WRITERS[_suffix(out)]
    part = f"{out}.part"
    try:
        with _open_to_write(part) as stream:
            write(_counted(rows, tally), stream)
        _replace(part, out)
    except OSError as error:
        raise OutputError(
            f"{display_path(out)}: cannot be written: {error.strerror or repr(error)}; "
            "every judgement is kept in the journal: make room, and run again"
        ) from error
    return tally


def check_out(out: str) -> None:
    """Refuse a name whose suffix says no format; raises `UsageError`."""
    if _suffix(out) not in _WRITERS:
        raise UsageError(
            f"{display_path(out)}: name the results {' or '.join(f'*{s}' for s in _WRITERS)}"
        )


def _suffix(out: str) -> str:
    return PurePosixPath(out).suffix.lower()


def _counted(rows: Iterator[Row], tally: Tally) -> Iterator[Row]:
    for row in rows:
        tally.add(row)
        yield row


def _write_json_lines(rows: Iterator[Row], stream: IO[bytes]) -> None:
    for row in rows:
        nested = row | {"verdict": json.loads(str(row["verdict"]))}
        stream.write(json.dumps(nested, ensure_ascii=False).encode() + b"\n")


def _write_parquet(rows: Iterator[Row], stream: IO[bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"string": pa.string(), "double": pa.float64()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        while group := list(islice(rows, _GROUP_ROWS)):
            writer.write_batch(pa.RecordBatch.from_pylist(group, schema=schema))


_WRITERS: dict[str, Callable[[Iterator[Row], IO[bytes]], None]] = {
    ".parquet": _write_parquet,
    ".jsonl": _write_json_lines,
}


@contextmanager
def _open_to_write(part: str) -> Iterator[IO[bytes]]:
    """A new file, on the disk when the block ends, gone if it fails."""
    if is_url(part):
        filesystem, inner = open_storage(part)
        with filesystem.open(inner, "wb") as stream:
            yield stream
        return
    path = Path(part)
    try:
        with path.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _replace(part: str, out: str) -> None:
    if is_url(out):
        filesystem, inner = open_storage(out)
        filesystem.mv(f"{inner}.part", inner)
    else:
        Path(part).replace(out)


def _unjudged(settled: Settled, path: str, prior_fake: float) -> Verdict:
    if settled.failure is None:
        raise LookupError(f"{path}: has neither verdict nor failure")
    return Verdict(
        input=Input(path=path),
        decision=Decision.INCONCLUSIVE,
        reason=settled.failure.message,
        prior_fake=prior_fake,
        error=settled.failure,
    )


def _named(verdict: Verdict, path: str) -> Verdict:
    """A verdict about the same bytes under another name."""
    was, now = f"{verdict.input.path}: ", f"{path}: "

    def renamed(text: str) -> str:
        return now + text.removeprefix(was) if text.startswith(was) else text

    error = verdict.error
    return verdict.model_copy(
        update={
            "input": verdict.input.model_copy(update={"path": path}),
            "reason": renamed(verdict.reason),
            "error": error and Failure(code=error.code, message=renamed(error.message)),
        }
    )
