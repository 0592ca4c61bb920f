"""A judge whose verdicts and deaths are known: a clip's first word says what becomes of it.

It runs in real worker processes, and keeps a diary that outlives them.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from avdetect.archive import ArchiveRequest, run_archive
from avdetect.archive.local import LocalEngine
from avdetect.archive.pool import GIB, Limits
from avdetect.archive.run import Summary
from avdetect.archive.storage import open_binary
from avdetect.archive.work import Outcome, Task
from avdetect.errors import CheckpointError, InputNotFoundError
from avdetect.types import Decision
from avdetect.verdict import Failure, Input, Verdict

MODEL = "a model"
LLRS = {"fake": 3.0, "real": -3.0}


@dataclass(frozen=True)
class KnownSpec:
    """Writes a line ``sha256 pid parent`` into the diary for every clip that it begins to judge."""

    diary: Path
    pause_s: float = 0.0
    refuses: bool = False
    vanishes: Path | None = None
    dies: bool = False

    def load(self, n_threads: int) -> KnownJudge:
        if self.refuses:
            raise CheckpointError("the model is not here")
        if self.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.vanishes is not None:
            self.vanishes.unlink(missing_ok=True)
        return KnownJudge(self)


class KnownJudge:
    slots = 2

    def __init__(self, spec: KnownSpec) -> None:
        self._spec = spec
        self._tasks: list[Task] = []

    def begin(self, task: Task) -> None:
        self._tasks.append(task)

    def step(self) -> list[Outcome]:
        task = self._tasks.pop(0)
        with self._spec.diary.open("a") as diary:
            diary.write(f"{task.sha256} {os.getpid()} {os.getppid()}\n")
        time.sleep(self._spec.pause_s)
        return [self._judge(task)]

    def _judge(self, task: Task) -> Outcome:
        try:
            with open_binary(task.path) as stream:
                word = stream.read().split()[0].decode()
        except InputNotFoundError:
            gone = Failure(code="not_found", message="gone")
            return Outcome(task.position, task.sha256, failure=gone)
        if word == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif word == "hang":
            time.sleep(3600)
        elif word == "bug":
            raise IndexError("no such window")
        elif word == "swell":
            swollen = bytearray(GIB)
            swollen[::4096] = b"x" * (GIB // 4096)
            time.sleep(3600)
        return Outcome(task.position, task.sha256, verdict=_verdict(task, word).to_json())


def _verdict(task: Task, word: str) -> Verdict:
    broken = word == "broken"
    return Verdict(
        input=Input(path=task.path, sha256=None if broken else task.sha256),
        decision=Decision(word) if word in LLRS else Decision.INCONCLUSIVE,
        fake_llr=LLRS.get(word),
        reason="it says so",
        prior_fake=0.5,
        error=_no_sound(task) if broken else None,
    )


def _no_sound(task: Task) -> Failure:
    return Failure(code="unreadable_media", message=f"{task.path}: no sound")


def limits(workers: int = 2, *, stall_s: float = 600.0, memory_bytes: int = GIB) -> Limits:
    return Limits(workers=workers, threads=1, memory_bytes=memory_bytes, stall_s=stall_s)


def request(inputs: Path | str, out: Path, **changes) -> ArchiveRequest:
    settings = {"suffixes": {".wav"}, "model": MODEL, "prior_fake": 0.5} | changes
    return ArchiveRequest(inputs=str(inputs), out=str(out), **settings)


def run_locally(wanted: ArchiveRequest, spec: KnownSpec, bounds: Limits | None = None) -> Summary:
    return run_archive(
        wanted, lambda n_inputs: LocalEngine(spec, bounds or limits()), lambda progress: None
    )


def clips(folder: Path, words: dict[str, str]) -> Path:
    """A folder of clips: name -> what stands in it."""
    for name, content in words.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def judged(diary: Path) -> list[str]:
    """What was begun to be judged, by SHA-256, in order."""
    return [line.split()[0] for line in diary.read_text().splitlines()] if diary.exists() else []
