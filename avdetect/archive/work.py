"""What the parts of a run hand each other: inputs, what identifies them, tasks and outcomes."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Protocol

from avdetect.verdict import Failure

# Kinds of failure that only a supervisor sees, beside the codes of `avdetect.errors`.
CRASHED = "crashed"  # the worker process died of it, again and again
STALLED = "stalled"  # no sign of life within the limit
OUT_OF_MEMORY = "out_of_memory"  # it took more memory than a worker may have
KILLING = frozenset({CRASHED, STALLED, OUT_OF_MEMORY})


@dataclass(frozen=True, slots=True)
class Entry:
    """One input of an archive, and what an earlier run knew of it.

    Attributes:
        position: its place in the listing, unique in a run.
        path: where to read it: an absolute path, or a URL for fsspec.
        stamp: size and time of change (or version tag) when it was identified, None if never.
        sha256: of its bytes then.
    """

    position: int
    path: str
    stamp: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What an entry holds now: its hash, or why it cannot be read."""

    position: int
    path: str
    stamp: str | None = None
    sha256: str | None = None
    problem: Failure | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One content to judge, read from one of the inputs that hold it."""

    position: int
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task: a verdict, or a failure.

    Attributes:
        position: of the task.
        sha256: of the bytes judged.
        verdict: as JSON, see `avdetect.verdict.Verdict`.
        failure: why there is none. Of a kind in `KILLING` it says something of the content and is
            remembered with it; any other kind (not found, changed meanwhile) is of this input now.
    """

    position: int
    sha256: str
    verdict: str | None = None
    failure: Failure | None = None


class Judge(Protocol):
    """What runs inside a worker process: several tasks on their way at once.

    Anything it raises ends the process, and the tasks on their way are judged again elsewhere.

    Attributes:
        slots: how many it has on their way at most.
    """

    slots: int

    def begin(self, task: Task) -> None:
        """Take one more task."""
        ...

    def step(self) -> list[Outcome]:
        """Move every task on by a bounded amount of work; returns those that came to an end."""
        ...


class JudgeSpec(Protocol):
    """How a worker process makes its `Judge`; travels to it by pickle."""

    def load(self, n_threads: int) -> Judge:
        """Make the judge, with that many threads; raises `AvdetectError` where it cannot be."""
        ...


class Engine(Protocol):
    """Who works: processes of this machine, or a cluster. Yields in any order, one per item."""

    def identify(self, entries: Iterator[Entry]) -> Generator[Identity, None, None]:
        """Read and hash every entry that changed since it was identified."""
        ...

    def judge(self, tasks: Iterator[Task]) -> Generator[Outcome, None, None]:
        """Judge every task; pulls them as it goes, since they may be made on the way."""
        ...
