"""Run the shipped detector over held-out files, exactly as a user would, and keep every verdict."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from avdetect.errors import AvdetectError, UsageError
from avdetect.verdict import Verdict
from eval.heldout_file import HeldoutRow, append_rows, heldout_row, read_heldout, write_heldout
from eval.heldout_rows import HeldoutClip, as_files

RESULTS = Path(__file__).resolve().parent / "results"
_CLIPS_A_CALL = 8  # what an interruption costs at most


class Scanner(Protocol):
    """What is measured: `avdetect.Detector`, or anything that scans files like it."""

    def scan_many(self, paths: Iterable[str], /) -> Iterable[Verdict]:
        """One verdict a path; a path that cannot be judged yields a verdict with an error."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLabels:
    """What is written beside every score of this run: the model's fingerprint and the commit."""

    model: str
    commit: str


def run_heldout(
    scanner: Scanner,
    clips: Sequence[HeldoutClip],
    path: Path,
    labels: RunLabels,
    *,
    jobs: int = 1,
    fresh: bool = False,
) -> list[HeldoutRow]:
    """Scan the clips that are not yet in the results file and return the rows of ``clips``, by id.

    Rows are appended as they come, so an interrupted run goes on where it stopped; at the end the
    file is rewritten whole, sorted by id.

    Args:
        scanner: the detector.
        clips: what to scan.
        path: results file, made if it is not there.
        labels: written into every new row.
        jobs: threads that scan at the same time.
        fresh: throw away what the file holds.

    Raises:
        UsageError: the file holds rows of another model and ``fresh`` is not set.
        AvdetectError: the scanner left a clip out or answered for another file.
    """
    done = {} if fresh else _done(path, labels.model)
    write_heldout(path, done.values())  # also cuts off half a line of an interrupted run
    todo = [clip for clip in clips if clip.id not in done]
    for rows in _scan(scanner, todo, labels, jobs):
        append_rows(path, rows)
        done.update({row.id: row for row in rows})
        print(f"{path.name}: {len(done)} clips", file=sys.stderr, flush=True)
    write_heldout(path, done.values())
    wanted = {clip.id for clip in clips}
    return [row for row in read_heldout(path) if row.id in wanted]


def _done(path: Path, model: str) -> dict[str, HeldoutRow]:
    if not path.exists():
        return {}
    rows = read_heldout(path)
    others = {row.model for row in rows} - {model}
    if others:
        raise UsageError(
            f"{path}: holds rows of another model ({', '.join(sorted(others))}, now {model}); "
            "use --fresh to throw them away, or --out for another folder"
        )
    return {row.id: row for row in rows}


def _scan(
    scanner: Scanner, clips: Sequence[HeldoutClip], labels: RunLabels, jobs: int
) -> Iterator[list[HeldoutRow]]:
    batches = [clips[at : at + _CLIPS_A_CALL] for at in range(0, len(clips), _CLIPS_A_CALL)]
    if jobs == 1:
        yield from (_scan_batch(scanner, batch, labels) for batch in batches)
        return
    with ThreadPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(lambda batch: _scan_batch(scanner, batch, labels), batches)
        finally:
            pool.shutdown(cancel_futures=True)


def _scan_batch(
    scanner: Scanner, clips: Sequence[HeldoutClip], labels: RunLabels
) -> list[HeldoutRow]:
    with as_files(clips) as files:
        rows = []
        waiting = dict(files)
        for verdict in scanner.scan_many(list(files)):
            clip = waiting.pop(verdict.input.path, None)
            if clip is None:
                raise AvdetectError(f"verdict about {verdict.input.path}, which was not asked for")
            rows.append(heldout_row(clip, verdict, model=labels.model, commit=labels.commit))
    if waiting:
        raise AvdetectError(f"no verdict about {', '.join(clip.id for clip in waiting.values())}")
    return rows
