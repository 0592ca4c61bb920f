"""Run the detector over a protocol's clips, exactly as a user would, and keep every verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from avdetect.errors import AvdetectError
from avdetect.verdict import Verdict
from eval.manifest.row import ManifestRow
from eval.run.files import as_files
from eval.run.store import (
    Key,
    RunLabels,
    ScoreRow,
    append_scores,
    read_scores,
    refuse_other_run,
    refuse_unknown_ids,
    score_row,
    write_scores,
)
from eval.run.stretches import Located, append_located, locate, read_located, write_located

_CLIPS_A_CALL = 8  # what an interruption costs at most
SCORES, SEGMENTS = "scores.csv", "segments.jsonl"
MakeFile = Callable[[ManifestRow, Path], Path]
Judged = list[tuple[ScoreRow, Located]]


class Scanner(Protocol):
    """What is measured: `avdetect.Detector`, or anything that scans files like it."""

    def scan_many(self, paths: Iterable[str], /) -> Iterable[Verdict]:
        """One verdict a path; a path that cannot be judged yields a verdict with an error."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One level of one run.

    Attributes:
        level: name of the level.
        rows: what to judge at it.
        make: row and an empty folder -> file to judge.
    """

    level: str
    rows: Sequence[ManifestRow]
    make: MakeFile


class Store:
    """The score and segment files of one run folder, kept in step."""

    def __init__(self, folder: Path, labels: RunLabels) -> None:
        self.labels = labels
        self._scores, self._segments = folder / SCORES, folder / SEGMENTS
        self.rows: dict[Key, ScoreRow] = {}

    def open(self, known_ids: Iterable[str], *, fresh: bool) -> None:
        """Read what is there; raises `ScoresError` if it is another run's and ``fresh`` is not set.

        Half a line of an interrupted run is cut off both files.
        """
        located: dict[Key, Located] = {}
        if not fresh and self._scores.exists():
            self.rows = read_scores(self._scores)
            refuse_other_run(self._scores, self.rows, self.labels)
            refuse_unknown_ids(self._scores, self.rows, known_ids)
            located = read_located(self._segments)
        self.rows = {key: row for key, row in self.rows.items() if key in located}
        write_located(self._segments, {key: located[key] for key in self.rows})
        write_scores(self._scores, self.rows.values())

    def add(self, judged: Judged) -> None:
        """Append rows; segments first, so that a scored clip always has its segments."""
        append_located(self._segments, [located for _, located in judged])
        append_scores(self._scores, [row for row, _ in judged])
        self.rows.update({row.key: row for row, _ in judged})

    def close(self) -> None:
        """Rewrite both files sorted, so that the same run gives the same bytes."""
        located = read_located(self._segments)
        write_located(self._segments, {key: located[key] for key in self.rows})
        write_scores(self._scores, self.rows.values())


def todo(store: Store, tasks: Sequence[Task]) -> list[Task]:
    """The tasks without what the store holds already; those with nothing left fall away."""
    left = [
        Task(
            level=task.level,
            rows=[row for row in task.rows if (row.id, task.level) not in store.rows],
            make=task.make,
        )
        for task in tasks
    ]
    return [task for task in left if task.rows]


def scan(scanner: Scanner, tasks: Sequence[Task], root: Path, store: Store, *, jobs: int) -> None:
    """Judge every row of every task and add it to the store as it comes.

    Args:
        scanner: the detector.
        tasks: what is left to judge, see `todo`.
        root: data root.
        store: open.
        jobs: threads that scan at the same time.

    Raises:
        AvdetectError: the scanner left a clip out or answered for another file.
    """
    with _progress() as bar:
        for task in tasks:
            line = bar.add_task(task.level, total=len(task.rows))
            for judged in _scan_task(scanner, task, root, store.labels, jobs):
                store.add(judged)
                bar.advance(line, len(judged))
    store.close()


def _scan_task(
    scanner: Scanner, task: Task, root: Path, labels: RunLabels, jobs: int
) -> Iterator[Judged]:
    starts = range(0, len(task.rows), _CLIPS_A_CALL)
    batches = [task.rows[at : at + _CLIPS_A_CALL] for at in starts]

    def judge(batch: Sequence[ManifestRow]) -> Judged:
        return [
            (score_row(row.id, task.level, found, labels), locate(row.id, task.level, found))
            for row, found in _verdicts(scanner, batch, root, task.make)
        ]

    if jobs == 1:
        yield from map(judge, batches)
        return
    with ThreadPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(judge, batches)
        finally:
            pool.shutdown(cancel_futures=True)


def _verdicts(
    scanner: Scanner, rows: Sequence[ManifestRow], root: Path, make: MakeFile
) -> list[tuple[ManifestRow, Verdict]]:
    with as_files(rows, root, make) as (files, found):
        waiting = dict(files)
        for verdict in scanner.scan_many(list(files)):
            row = waiting.pop(verdict.input.path, None)
            if row is None:
                raise AvdetectError(f"verdict about {verdict.input.path}, which was not asked for")
            found.append((row, verdict))
    if waiting:
        raise AvdetectError(f"no verdict about {', '.join(row.id for row in waiting.values())}")
    return found


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
