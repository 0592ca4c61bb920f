"""A run that is killed with SIGKILL goes on: nothing is lost, nothing recorded is judged again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from avdetect.errors import UsageError
from tests.archive.known import KnownSpec, clips, judged, request, run_locally
from tests.paths import ROOT

N_CLIPS = 24


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return clips(tmp_path / "in", {f"{n:02}.wav": f"real {n}" for n in range(N_CLIPS)})


@pytest.fixture
def program(tmp_path: Path, folder: Path):
    """A run under way in a process of its own, which is there until the test ends."""
    arguments = [str(folder), str(tmp_path / "out.jsonl"), str(tmp_path / "diary"), "0.2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.archive.local_run", *arguments], cwd=ROOT
    )
    yield process
    process.kill()
    process.wait()


def wait_until_judged(diary: Path, n: int) -> None:
    while len(judged(diary)) < n:
        time.sleep(0.05)


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_killed_run_goes_on_and_judges_only_what_was_under_way_again(tmp_path, folder, program):
    diary = tmp_path / "diary"
    wait_until_judged(diary, 8)
    program.send_signal(signal.SIGKILL)
    program.wait()
    workers = {int(line.split()[1]) for line in diary.read_text().splitlines()}
    while not all(map(ended, workers)):  # they end with the run, without being told
        time.sleep(0.05)
    assert not (tmp_path / "out.jsonl").exists()
    n_before = len(judged(diary))
    (folder / "00.wav").unlink()  # the run that was cut short owes it a row
    clips(folder, {"new.wav": "fake new"})
    summary = run_locally(request(folder, tmp_path / "out.jsonl"), KnownSpec(diary))
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert sorted(Path(row["path"]).name for row in rows) == sorted(
        [f"{n:02}.wav" for n in range(N_CLIPS)] + ["new.wav"]
    )
    # two workers with two clips each were under way, and a verdict may have been in the pipe
    assert len(judged(diary)) - n_before == summary.n_judged
    assert n_before + summary.n_judged <= N_CLIPS + 1 + 4
    assert {row["decision"] for row in rows if row["error_code"] is None} == {"real", "fake"}


def test_a_second_run_on_the_same_results_is_refused_while_the_first_is_at_work(
    tmp_path, folder, program
):
    wait_until_judged(tmp_path / "diary", 1)
    with pytest.raises(UsageError, match="another run is at work"):
        run_locally(request(folder, tmp_path / "out.jsonl"), KnownSpec(tmp_path / "other"))
    assert judged(tmp_path / "other") == []
    assert program.wait() == 0
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == N_CLIPS
