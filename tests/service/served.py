"""A real web server over a real socket, in a thread, with a judge whose verdicts are known."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from sqlalchemy.exc import DBAPIError

from avdetect.service import jobs
from avdetect.service.app import make_app
from avdetect.service.keys import Scope, create_key
from avdetect.service.settings import ServiceSettings
from avdetect.service.store import Store
from tests.service.conftest import known_verdict


@contextmanager
def served(settings: ServiceSettings, store: Store) -> Iterator[tuple[str, str]]:
    """Address and key of a server whose scans are all judged fake by 2.0."""
    with store.writing() as session:
        key = create_key(session, owner="desk", scopes=list(Scope))
    config = uvicorn.Config(make_app(settings, store), port=0, log_config=None)
    server = uvicorn.Server(config)
    stop = threading.Event()

    def judge() -> None:
        while not stop.wait(0.05):
            try:
                with store.writing() as session:
                    for job in jobs.claim(session, 10):
                        jobs.finish(session, job, known_verdict())
            except DBAPIError:
                continue

    threads = [threading.Thread(target=server.run), threading.Thread(target=judge)]
    for thread in threads:
        thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}", key
    finally:
        server.should_exit = True
        stop.set()
        for thread in threads:
            thread.join()
