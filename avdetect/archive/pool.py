"""Worker processes under supervision: one that dies, hangs or swells takes no input with it.

The tasks of a dead worker are suspects: each is judged again alone in a worker, and what kills
a worker alone, again and again, is given up and answered with the kind of death. So innocent
neighbours, and workers killed from outside, cost time and nothing else.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter, deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType

from avdetect.archive.work import (
    CRASHED,
    OUT_OF_MEMORY,
    STALLED,
    JudgeSpec,
    Outcome,
    Task,
)
from avdetect.archive.worker import Broken, Message, Ready, Refused, serve
from avdetect.errors import AvdetectError
from avdetect.verdict import Failure

_MOST_DEATHS_ALONE = 2
_MOST_FAILED_STARTS = 3  # in a row
_TICK_S = 1.0
GIB = 1 << 30
_WORKER_BYTES = 2 * GIB  # what loaded models and one clip need, with room


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a pool may use.

    Attributes:
        workers: processes.
        threads: of each.
        memory_bytes: resident memory of each, beyond which it is killed.
        stall_s: seconds without a sign of life after which it is killed.
    """

    workers: int
    threads: int
    memory_bytes: int
    stall_s: float

    @classmethod
    def of_this_machine(cls, workers: int | None = None, *, stall_s: float = 600.0) -> Limits:
        """Share out this machine's cores and memory.

        Args:
            workers: processes, or None for one a core as far as the memory goes.
            stall_s: see `Limits`.
        """
        cores, memory = len(os.sched_getaffinity(0)), _memory_bytes()
        n = workers or max(1, min(cores, memory // _WORKER_BYTES))
        return cls(
            workers=n,
            threads=max(1, cores // n),
            memory_bytes=max(_WORKER_BYTES, memory // n),
            stall_s=stall_s,
        )


@dataclass(slots=True, eq=False)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    heard: float
    slots: int = 0  # 0 until it is ready
    last_words: str | None = None
    tasks: dict[int, Task] = field(default_factory=dict)
    alone: bool = False  # judges a suspect, and nothing beside it


class WorkerPool:
    """Judges tasks in worker processes; use as a context manager, which ends them.

    Args:
        spec: what every worker loads.
        limits: how many, and what each may use.
    """

    def __init__(self, spec: JudgeSpec, limits: Limits) -> None:
        self._spec, self._limits = spec, limits
        self._context = get_context("spawn")  # a fork would inherit the threads' locks
        self._workers: list[_Worker] = []
        self._suspects: deque[Task] = deque()
        self._deaths: Counter[int] = Counter()  # alone, by position
        self._failed_starts = 0

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            _end(worker)
        self._workers = []

    def judge(self, tasks: Iterator[Task]) -> Generator[Outcome, None, None]:
        """Judge every task, in any order; exactly one outcome each, whatever happens to workers.

        Raises:
            AvdetectError: no worker can be started, such as for want of a model or of memory.
        """
        fresh = _Peekable(tasks)
        while self._hand_out(fresh):
            handles = [w.pipe for w in self._workers] + [w.process.sentinel for w in self._workers]
            wait(handles, _TICK_S)
            for worker in list(self._workers):
                yield from self._attend(worker)

    def _hand_out(self, fresh: _Peekable) -> bool:
        """Give every worker what it can take; returns whether anything is under way."""
        self._start_workers(fresh)
        for worker in self._workers:
            if worker.slots and self._suspects and not worker.tasks:
                self._give(worker, self._suspects.popleft(), alone=True)
            while not worker.alone and len(worker.tasks) < worker.slots and fresh.has_next():
                self._give(worker, fresh.take(), alone=False)
        under_way = any(worker.tasks for worker in self._workers)
        return under_way or bool(self._suspects) or fresh.has_next()

    def _start_workers(self, fresh: _Peekable) -> None:
        n_busy = sum(bool(worker.tasks) for worker in self._workers)
        wanted = self._limits.workers if fresh.has_next() else n_busy + len(self._suspects)
        while len(self._workers) < min(wanted, self._limits.workers):
            ours, theirs = self._context.Pipe()
            process = self._context.Process(
                target=serve, args=(theirs, self._spec, self._limits.threads), daemon=True
            )
            process.start()
            theirs.close()  # or we would not see the worker's end as the end of the pipe
            self._workers.append(_Worker(process, ours, heard=time.monotonic()))

    def _give(self, worker: _Worker, task: Task, *, alone: bool) -> None:
        if not worker.tasks:
            worker.heard = time.monotonic()
        worker.tasks[task.position], worker.alone = task, alone
        with suppress(OSError):  # it has just died: that will be seen, and the task judged again
            worker.pipe.send(task)

    def _attend(self, worker: _Worker) -> Iterator[Outcome]:
        ended = not worker.process.is_alive()  # asked first: what it sent before is in the pipe
        for message in _messages(worker.pipe):
            worker.heard = time.monotonic()
            match message:
                case Outcome():
                    del worker.tasks[message.position]
                    self._deaths.pop(message.position, None)
                    worker.alone = worker.alone and bool(worker.tasks)
                    yield message
                case Ready():
                    worker.slots, self._failed_starts = message.slots, 0
                case Refused():
                    raise message.error
                case Broken():
                    worker.last_words = message.reason
        death = self._death(worker, ended)
        if death is not None:
            yield from self._bury(worker, death)

    def _death(self, worker: _Worker, ended: bool) -> Failure | None:
        """What the worker died of, or is to die of; None while it is well."""
        if ended:
            said = worker.last_words or _exit_words(worker.process.exitcode)
            return Failure(code=CRASHED, message=f"the worker judging it died: {said}")
        at_work = bool(worker.tasks) or not worker.slots
        if at_work and time.monotonic() - worker.heard > self._limits.stall_s:
            said = f"the worker judging it gave no sign of life for {self._limits.stall_s:.0f} s"
            return Failure(code=STALLED, message=said)
        if _resident_bytes(worker.process.pid) > self._limits.memory_bytes:
            most = self._limits.memory_bytes / GIB
            said = f"the worker judging it took more than {most:.1f} GiB of memory"
            return Failure(code=OUT_OF_MEMORY, message=said)
        return None

    def _bury(self, worker: _Worker, death: Failure) -> Iterator[Outcome]:
        _end(worker)
        self._workers.remove(worker)
        if not worker.slots:
            self._failed_starts += 1
            if self._failed_starts >= _MOST_FAILED_STARTS:
                said = death.message.replace("the worker judging it", "it")
                raise AvdetectError(
                    f"no worker can be started: {said}; is there memory for "
                    f"{self._limits.workers} workers? try fewer, or avdetect doctor"
                )
        for task in worker.tasks.values():
            if len(worker.tasks) == 1:
                self._deaths[task.position] += 1
            if self._deaths[task.position] < _MOST_DEATHS_ALONE:
                self._suspects.append(task)
            else:
                del self._deaths[task.position]
                yield Outcome(task.position, task.sha256, failure=death)


class _Peekable:
    """Tasks that can be asked for without being taken."""

    def __init__(self, tasks: Iterator[Task]) -> None:
        self._tasks = tasks
        self._next: Task | None = None

    def has_next(self) -> bool:
        if self._next is None:
            self._next = next(self._tasks, None)
        return self._next is not None

    def take(self) -> Task:
        if not self.has_next() or self._next is None:
            raise LookupError("no task is left")
        task, self._next = self._next, None
        return task


def _messages(pipe: Connection) -> Iterator[Message]:
    try:
        while pipe.poll():
            yield pipe.recv()
    except (EOFError, OSError):
        return  # its end; that the process has ended is seen on the process


def _end(worker: _Worker) -> None:
    worker.process.kill()
    worker.process.join()
    worker.process.close()
    worker.pipe.close()


def _exit_words(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    return f"signal {signal.Signals(-exit_code).name}"


def _resident_bytes(pid: int | None) -> int:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
    except (OSError, IndexError):  # it ends at this moment
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _memory_bytes() -> int:
    """Memory of this machine, or of the container around us where that is less."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        allowed = Path("/sys/fs/cgroup/memory.max").read_text("ascii").strip()
    except OSError:
        return physical
    return min(physical, int(allowed)) if allowed.isdigit() else physical
