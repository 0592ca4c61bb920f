"""The running service: a web server, its workers as processes that are replaced when they die.

The networks are imported by those who judge alone: a server without live calls never loads torch.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

import uvicorn
from fastapi import APIRouter

from avdetect.errors import OutputError, UsageError
from avdetect.service import housekeeping, webhooks
from avdetect.service.app import make_app
from avdetect.service.logs import log, start_logging
from avdetect.service.settings import ServiceSettings
from avdetect.service.store import Store, reachable

_GRACE_S = 20  # for requests under way, and for workers, when told to stop
_LONGEST_MESSAGE = 128 << 10  # bytes of a live call at once; a second of 16-bit sound is a quarter
_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the service listens.

    Attributes:
        host: address to bind.
        port: to bind.
        tls_cert: PEM file of the certificate chain; None for plain HTTP, behind a proxy.
        tls_key: PEM file of its key.

    Raises:
        UsageError: one of the TLS files without the other, or one that is not there.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    tls_cert: Path | None = None
    tls_key: Path | None = None

    def __post_init__(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise UsageError("--tls-cert and --tls-key go together")
        for path in (self.tls_cert, self.tls_key):
            if path is not None and not path.is_file():
                raise UsageError(f"{path}: no such file; give PEM files for TLS")


def open_store(settings: ServiceSettings) -> Store:
    """Make the folders and bring the tables to their form.

    Raises:
        OutputError: the folder cannot be made.
        ServiceError: the database cannot be used.
    """
    try:
        settings.media.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{settings.media}: cannot be made: {error.strerror}") from error
    store = Store(settings.db_url)
    store.migrate()
    return store


def serve(
    settings: ServiceSettings, address: Address, *, n_workers: int, n_live_calls: int = 0
) -> None:
    """Run the service until SIGTERM or SIGINT; requests and clips under way get some seconds.

    Args:
        settings: of the service.
        address: where it listens.
        n_workers: processes that judge; 0 where they run elsewhere (``avdetect worker``).
        n_live_calls: calls judged at once in this process while they last; 0 takes none.
    """
    start_logging()
    store = open_store(settings)
    listener = _listen(address)
    signal.signal(signal.SIGTERM, _leave)
    config = uvicorn.Config(
        make_app(settings, store, live=_live(settings, store, n_live_calls)),
        ssl_certfile=address.tls_cert,
        ssl_keyfile=address.tls_key,
        log_config=None,
        access_log=False,
        server_header=False,
        ws_max_size=_LONGEST_MESSAGE,
        ws_ping_interval=None,  # not every telephone platform answers; live calls watch for silence
        timeout_graceful_shutdown=_GRACE_S,
    )
    stop = threading.Event()
    chores = [threading.Thread(target=housekeeping.keep_house, args=(store, settings, stop))]
    if settings.webhook_secret:
        chores.append(threading.Thread(target=webhooks.deliver_until, args=(store, settings, stop)))
    for number in range(n_workers):
        chores.append(threading.Thread(target=_keep_worker, args=(settings, number, stop)))
    # The web server raises SIGTERM again once it has stopped.
    with listener, _running(chores, stop), suppress(SystemExit):
        uvicorn.Server(config).run(sockets=[listener])
    store.close()


def _live(settings: ServiceSettings, store: Store, n_calls: int) -> APIRouter | None:
    if not n_calls:
        return None
    from avdetect.detector import Detector
    from avdetect.service.live_door import live_router

    return live_router(Detector.load(settings.model, device=settings.device), store, n_calls)


def work(settings: ServiceSettings, *, attached: bool) -> None:
    """Run one worker until SIGTERM or SIGINT.

    Args:
        settings: the same as the server's.
        attached: also stop when standard input ends, as it does when the server dies.
    """
    from avdetect.service.worker import Worker

    start_logging()
    store = open_store(settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with reachable():
        worker = Worker(store, settings)
    if attached:
        threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
    log("worker.ready", pid=os.getpid())
    worker.run(stop)
    store.close()


def _stop_at_end_of_input(stop: threading.Event) -> None:
    while sys.stdin.buffer.read(1):
        pass
    stop.set()


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def _listen(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        where = f"{address.host} port {address.port}"
        raise UsageError(f"cannot listen at {where}: {error.strerror or error}") from error


@contextmanager
def _running(threads: list[threading.Thread], stop: threading.Event) -> Iterator[None]:
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _keep_worker(settings: ServiceSettings, number: int, stop: threading.Event) -> None:
    """Keep one worker process running; one that dies again and again is started less often."""
    pause_s = _PAUSE_S
    while not stop.is_set():
        process = _start_worker(settings)
        log("worker.started", worker=number, pid=process.pid)
        lived_s = 0.0
        while process.poll() is None and not stop.wait(0.2):
            lived_s += 0.2
        if stop.is_set():
            _end(process)
            return
        log("worker.died", level=30, worker=number, pid=process.pid, code=process.returncode)
        pause_s = _PAUSE_S if lived_s > _LONGEST_PAUSE_S else min(2 * pause_s, _LONGEST_PAUSE_S)
        stop.wait(pause_s)


def _start_worker(settings: ServiceSettings) -> subprocess.Popen[bytes]:
    # By environment, not by argument: a database URL may hold a password, which ps would show.
    limits = settings.limits
    environment = os.environ | {
        "AVDETECT_SERVICE_DIR": str(settings.folder),
        "AVDETECT_DB": settings.db_url,
        "AVDETECT_MODEL": settings.model,
        "AVDETECT_DEVICE": settings.device,
        "AVDETECT_KEEP_MEDIA_HOURS": str(settings.keep_media_h),
        "AVDETECT_MAX_MEMORY_MB": str(limits.memory_bytes >> 20),
        "AVDETECT_MAX_CPU_S": str(limits.cpu_s),
        "AVDETECT_MAX_MEDIA_MINUTES": str(limits.media_s / 60),
    }
    command = [sys.executable, "-m", "avdetect", "worker", "--attached"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()
