"""Workers that die, hang and swell for real: every task has one outcome, the innocent a verdict."""

from __future__ import annotations

import hashlib
import os
import signal
from pathlib import Path

import pytest

from avdetect.archive.pool import GIB, Limits, WorkerPool
from avdetect.archive.work import Task
from avdetect.errors import AvdetectError
from avdetect.verdict import Verdict
from tests.archive.known import KnownSpec, judged, limits


def tasks_of(folder: Path, words: list[str]) -> list[Task]:
    tasks = []
    for position, word in enumerate(words):
        path = folder / f"{position}.wav"
        path.write_text(f"{word} {position}")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        tasks.append(Task(position, str(path), digest))
    return tasks


def answers(folder: Path, words: list[str], spec: KnownSpec, bounds: Limits) -> list[str]:
    """The decision or the failure's code of every task, in order."""
    said: dict[int, str] = {}
    with WorkerPool(spec, bounds) as pool:
        for outcome in pool.judge(iter(tasks_of(folder, words))):
            assert outcome.position not in said
            if outcome.verdict is not None:
                said[outcome.position] = Verdict.from_json(outcome.verdict).decision.value
            else:
                said[outcome.position] = f"{outcome.failure.code}: {outcome.failure.message}"
    return [said[position] for position in range(len(words))]


def test_what_crashes_a_worker_is_told_apart_from_its_neighbours(tmp_path):
    spec = KnownSpec(tmp_path / "diary")
    words = ["real", "crash", "real", "bug", "fake", "real"]
    real, crashed, _, broken, fake, last = answers(tmp_path, words, spec, limits(1))
    assert (real, fake, last) == ("real", "fake", "real")
    assert crashed == "crashed: the worker judging it died: signal SIGSEGV"
    assert broken == "crashed: the worker judging it died: IndexError: no such window"


def test_what_swells_is_killed_and_told(tmp_path):
    bounds = limits(1, memory_bytes=GIB // 2)
    (swollen,) = answers(tmp_path, ["swell"], KnownSpec(tmp_path / "diary"), bounds)
    assert swollen == ("out_of_memory: the worker judging it took more than 0.5 GiB of memory")


@pytest.mark.slow  # it must wait
def test_what_hangs_is_killed_and_told(tmp_path):
    bounds = limits(1, stall_s=8.0)
    hung, real = answers(tmp_path, ["hang", "real"], KnownSpec(tmp_path / "diary"), bounds)
    assert (hung, real) == ("stalled: the worker judging it gave no sign of life for 8 s", "real")


def test_workers_killed_from_outside_cost_no_verdict(tmp_path):
    spec = KnownSpec(tmp_path / "diary", pause_s=0.05)
    tasks = tasks_of(tmp_path, ["real"] * 12)
    outcomes = []
    with WorkerPool(spec, limits(2)) as pool:
        for outcome in pool.judge(iter(tasks)):
            outcomes.append(outcome)
            if len(outcomes) in (3, 6):
                os.kill(int(spec.diary.read_text().split()[-2]), signal.SIGKILL)
    assert sorted(outcome.position for outcome in outcomes) == list(range(12))
    assert all(outcome.verdict is not None for outcome in outcomes)


def test_each_task_is_judged_once_where_nothing_dies(tmp_path):
    spec = KnownSpec(tmp_path / "diary")
    assert answers(tmp_path, ["real"] * 9, spec, limits(2)) == ["real"] * 9
    assert len(set(judged(spec.diary))) == len(judged(spec.diary)) == 9


def test_workers_that_die_before_they_are_ready_end_the_run(tmp_path):
    spec = KnownSpec(tmp_path / "diary", dies=True)
    with pytest.raises(AvdetectError, match=r"no worker can be started: .*SIGKILL"):
        answers(tmp_path, ["real"], spec, limits(1))


def test_a_machine_is_shared_out_whole():
    share = Limits.of_this_machine()
    assert share.workers >= 1
    assert share.workers * share.threads <= max(share.workers, os.cpu_count())
    assert share.memory_bytes >= 2 * GIB
