"""A service as a process of its own, for tests and the fault campaign: started, killed, watched."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

_START_S = 1800.0  # networks load slowly on a machine that has other things to do


class ServiceProcess:
    """``avdetect serve`` in a folder of its own, on a port that was free, with one key.

    Attributes:
        folder: of the service.
        address: of its web server.
        key: with all scopes.
    """

    def __init__(
        self, folder: Path, *, db: str | None = None, options: Mapping[str, str] | None = None
    ) -> None:
        """Make the key; nothing runs yet."""
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        self.address = f"http://127.0.0.1:{self._port}"
        self._where = ["--dir", str(folder), *(["--db", db] if db else [])]
        self._options = [word for pair in (options or {}).items() for word in pair]
        self._log = folder.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None
        scopes = [
            w for s in ("submit", "read", "delete", "stream", "admin") for w in ("--scope", s)
        ]
        self.key = self.run("keys", "create", "--owner", "campaign", *scopes).strip()

    @property
    def log(self) -> str:
        """All that it wrote, over all starts."""
        return self._log.read_text("utf-8")

    @property
    def pid(self) -> int:
        """Of the server."""
        assert self._process is not None
        return self._process.pid

    def run(self, *arguments: str) -> str:
        """Run another command of avdetect on the same service; returns what it printed."""
        command = [sys.executable, "-m", "avdetect", *arguments, *self._where]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout

    def start(self, *, with_worker: bool = True) -> None:
        """Start it and wait until it is ready, with a worker that is ready if it has any."""
        begin = len(self.log) if self._log.exists() else 0
        command = [sys.executable, "-m", "avdetect", "serve", "--port", str(self._port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._where, *self._options], stderr=log, stdout=log
            )
        ends_at = time.monotonic() + _START_S
        while not (self._is_ready() and (not with_worker or "worker.ready" in self.log[begin:])):
            if self._process.poll() is not None or time.monotonic() > ends_at:
                self.kill()
                raise RuntimeError(f"the service did not start: {self.log[-2000:]}")
            time.sleep(0.1)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop and wait until it has; returns its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait()

    def kill(self) -> None:
        """``kill -9`` of the server; its workers find out by themselves."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def workers(self) -> list[int]:
        """Process ids of the workers of this server."""
        return [pid for pid in children(self.pid) if b"worker" in _command_line(pid).split(b"\0")]

    def kill_worker(self) -> bool:
        """``kill -9`` of one worker; False if there is none at the moment."""
        found = self.workers()
        for pid in found[:1]:
            os.kill(pid, signal.SIGKILL)
        return bool(found)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/readyz", timeout=5.0).status_code == 200
        except httpx.HTTPError:
            return False


def children(pid: int) -> list[int]:
    """Process ids of a process's direct children."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in task.read_text().split()]
        except OSError:
            continue
    return found


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
