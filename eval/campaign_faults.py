"""What goes wrong in the fault campaign: processes killed, disk full, database away, bad peers."""

from __future__ import annotations

import os
import random
import resource
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import httpx

from eval.postgres import PostgresServer
from eval.service_process import ServiceProcess, children

_AWAY_S = 2.0
_LARGE = 1 << 20


class Faults:
    """Makes one fault at a time on a running service.

    Attributes:
        counts: how often each was made.
        unseen: faults that the service should have answered to and did not.
    """

    def __init__(
        self, service: ServiceProcess, database: PostgresServer | None, rng: random.Random
    ) -> None:
        self._service, self._database, self._rng = service, database, rng
        self._host, _, port = service.address.removeprefix("http://").partition(":")
        self._port = int(port)
        self.counts: Counter[str] = Counter()
        self.unseen: list[str] = []

    def make_one(self) -> None:
        """A fault by chance; the service is up again, or coming up, when this returns."""
        made: list[Callable[[], None]] = [
            self.kill_worker,
            self.kill_worker,
            self.kill_decoder,
            self.kill_server,
            self.break_off_upload,
            self.send_malformed,
            self.fill_disk,
        ]
        if self._database is not None:
            made.append(self.crash_database)
        fault = self._rng.choice(made)
        self.counts[fault.__name__] += 1
        print(f"{time.strftime('%H:%M:%S')}  fault: {fault.__name__}", flush=True)
        fault()

    def kill_worker(self) -> None:
        """``kill -9`` of a worker in the midst of its clips."""
        self._service.kill_worker()

    def kill_decoder(self) -> None:
        """``kill -9`` of a process that decodes, if one runs."""
        for worker in self._service.workers():
            for decoder in children(worker)[:1]:
                with suppress(ProcessLookupError):
                    os.kill(decoder, signal.SIGKILL)

    def kill_server(self) -> None:
        """``kill -9`` of the server, and a new one on the same folder."""
        self._service.kill()
        time.sleep(self._rng.uniform(0.0, 1.0))
        self._service.start(with_worker=False)

    def crash_database(self) -> None:
        """SIGQUIT to PostgreSQL, as when its machine goes down; started anew after some seconds."""
        assert self._database is not None
        self._database.stop(signal.SIGQUIT)
        time.sleep(_AWAY_S)
        self._database.start()

    def fill_disk(self) -> None:
        """No file of the server may grow: what a full disk does, without filling anybody's disk."""
        pid = self._service.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, before[1]))
        try:
            answer = httpx.post(
                f"{self._service.address}/v1/scans",
                content=bytes(_LARGE),
                headers={"Authorization": f"Bearer {self._service.key}"},
                timeout=60.0,
            )
            if answer.status_code not in (429, 503, 507):
                self.unseen.append(f"a full disk was answered with {answer.status_code}")
        except httpx.HTTPError as error:
            self.unseen.append(f"a full disk was answered with {type(error).__name__}")
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    def break_off_upload(self) -> None:
        """A client that is gone after a part of its clip."""
        head = self._head("application/octet-stream", 10 * _LARGE)
        self._send(head + bytes(self._rng.randrange(_LARGE)), reset=True)

    def send_malformed(self) -> None:
        """Requests that are none, forms that end nowhere, lengths that are wrong."""
        frames = (
            self._rng.randbytes(4096),
            b"GET /v1/scans HTTP/9.9\r\n\r\n",
            b"POST /v1/scans HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
            b"POST /v1/scans HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            self._head("multipart/form-data; boundary=b", 100) + self._rng.randbytes(100),
            self._head("multipart/form-data; boundary=b", 30) + b"--b\r\nContent-Disposition: form",
            b"GET /v1/live/pcm HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\xff",
        )
        for frame in frames:
            self._send(frame, reset=False)

    def _head(self, kind: str, length: int) -> bytes:
        lines = (
            "POST /v1/scans HTTP/1.1",
            f"Host: {self._host}",
            f"Authorization: Bearer {self._service.key}",
            f"Content-Type: {kind}",
            f"Content-Length: {length}",
        )
        return "\r\n".join(lines).encode() + b"\r\n\r\n"

    def _send(self, data: bytes, *, reset: bool) -> None:
        with suppress(OSError), socket.create_connection((self._host, self._port), 5.0) as peer:
            peer.sendall(data)
            if reset:
                return
            peer.settimeout(2.0)
            while peer.recv(_LARGE):
                pass
