"""The Ray engine on a real cluster of this machine: room for two actors, one killed at work."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from avdetect.archive.ray_engine import ClusterShare, RayEngine
from avdetect.errors import UsageError
from tests.archive.known import KnownSpec, clips, judged
from tests.paths import ROOT

RAY = Path(sys.executable).with_name("ray")
N_CLIPS = 60


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory):
    """Address of a cluster with four CPUs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    command = [RAY, "start", "--head", "--block", f"--port={port}", "--num-cpus=4"]
    command += ["--node-ip-address=127.0.0.1", "--include-dashboard=false"]
    command += ["--disable-usage-stats", f"--object-store-memory={100 << 20}"]
    log = (tmp_path_factory.mktemp("ray") / "log").open("w")
    process = subprocess.Popen(command, stdout=log, stderr=log, process_group=0)
    while "Ray runtime started" not in Path(log.name).read_text():
        assert process.poll() is None, Path(log.name).read_text()
        time.sleep(0.1)
    yield address
    process.terminate()
    process.wait()
    log.close()


@pytest.mark.slow
def test_a_cluster_gives_every_input_one_row_though_an_actor_is_killed_and_files_kill_workers(
    cluster, tmp_path
):
    words = {f"{n:02}.wav": f"real {n}" for n in range(N_CLIPS)}
    words |= {"07.wav": "crash", "20.wav": "real 21", "33.wav": "broken"}
    folder, diary, out = clips(tmp_path / "in", words), tmp_path / "diary", tmp_path / "out.jsonl"
    arguments = [cluster, str(folder), str(out), str(diary), "0.2"]
    run = subprocess.Popen([sys.executable, "-m", "tests.archive.ray_run", *arguments], cwd=ROOT)
    while len(judged(diary)) < 12:
        assert run.poll() is None
        time.sleep(0.1)
    killed = int(diary.read_text().split()[2])
    os.kill(killed, signal.SIGKILL)
    assert run.wait() == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [Path(row["path"]).name for row in rows] == sorted(words)
    codes = Counter(row["error_code"] for row in rows)
    assert codes == {None: N_CLIPS - 2, "crashed": 1, "unreadable_media": 1}
    last = int(diary.read_text().split()[-1])
    assert last != killed  # another actor, or the one that took its place


def test_an_address_without_a_cluster_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"no Ray cluster at '127\.0\.0\.1:1'"):
        RayEngine(KnownSpec(tmp_path / "diary"), ClusterShare(address="127.0.0.1:1"))


def test_a_negative_share_of_a_gpu_is_a_usage_error():
    with pytest.raises(UsageError, match="gpus"):
        ClusterShare(gpus=-0.5)
