"""The local engine: threads that hash ahead, worker processes that judge."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from avdetect.archive.identify import identify
from avdetect.archive.pool import Limits, WorkerPool
from avdetect.archive.work import Entry, Identity, JudgeSpec, Outcome, Task

_READERS = 8  # threads: reading waits for disks and networks, and hashing lets go of the lock
_AHEAD = 4 * _READERS


class LocalEngine:
    """Works with processes of this machine.

    Args:
        spec: what every worker loads.
        limits: how many workers, and what each may use.
    """

    def __init__(self, spec: JudgeSpec, limits: Limits) -> None:
        self._spec, self._limits = spec, limits

    def identify(self, entries: Iterator[Entry]) -> Generator[Identity, None, None]:
        """Identify entries in order, some of them ahead of being asked for."""
        with ThreadPoolExecutor(_READERS) as pool:
            ahead: deque[Future[Identity]] = deque()
            try:
                for entry in entries:
                    ahead.append(pool.submit(identify, entry))
                    if len(ahead) > _AHEAD:
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                for future in ahead:
                    future.cancel()

    def judge(self, tasks: Iterator[Task]) -> Generator[Outcome, None, None]:
        """Judge tasks, each once its worker has room for it."""
        with WorkerPool(self._spec, self._limits) as pool:
            yield from pool.judge(tasks)
