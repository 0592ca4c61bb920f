"""The process that judges: it may die of what it reads, and its supervisor learns of what.

Messages travel over one pipe per worker, so that a killed worker can leave nothing locked.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait

from avdetect.archive.work import JudgeSpec, Outcome, Task
from avdetect.errors import AvdetectError


@dataclass(frozen=True, slots=True)
class Ready:
    """The models are loaded; takes so many tasks at once."""

    slots: int


@dataclass(frozen=True, slots=True)
class Refused:
    """No worker can start: an option or a model is wrong."""

    error: AvdetectError


@dataclass(frozen=True, slots=True)
class Alive:
    """Still at work."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The process ends, for this reason."""

    reason: str


Message = Ready | Refused | Alive | Broken | Outcome


def serve(pipe: Connection, spec: JudgeSpec, n_threads: int) -> None:
    """Body of a worker process: judge the tasks that come through the pipe until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's to answer
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _judge_all(pipe, spec, n_threads)
    except (EOFError, BrokenPipeError):
        pass  # the supervisor has gone, or has no more for us
    except AvdetectError as error:
        pipe.send(Refused(error))
    except Exception as error:  # noqa: BLE001  (the last door: the row will say what it was)
        pipe.send(Broken(f"{type(error).__name__}: {error}"))
    os._exit(0)  # a thread that hangs in a decoder must not keep us


def _judge_all(pipe: Connection, spec: JudgeSpec, n_threads: int) -> None:
    judge = spec.load(n_threads)
    pipe.send(Ready(judge.slots))
    n_begun = 0
    while True:
        while not n_begun or pipe.poll():
            task: Task = pipe.recv()
            judge.begin(task)
            n_begun += 1
        outcomes = judge.step()
        n_begun -= len(outcomes)
        messages: Sequence[Message] = outcomes or [Alive()]
        for message in messages:
            pipe.send(message)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)  # also out of the middle of a decoder
