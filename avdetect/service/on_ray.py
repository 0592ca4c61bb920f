"""The service on a Ray cluster: doors take requests, judges take jobs, the database is between.

``application`` is what Ray Serve imports (it needs ``ray[serve]``); the environment configures it
as it does the commands. Ray places the replicas and replaces those that die. It carries no clips
and no verdicts: a judge that dies loses nothing, its leases run out and another takes its jobs.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from ray import serve

from avdetect.service.app import make_app
from avdetect.service.logs import start_logging
from avdetect.service.serving import open_store
from avdetect.service.settings import ServiceSettings
from avdetect.service.worker import Worker


def settings_of_environment() -> ServiceSettings:
    """Settings by the names that ``avdetect serve`` reads, too."""
    return ServiceSettings(
        folder=Path(os.environ.get("AVDETECT_SERVICE_DIR", "avdetect-service")),
        db=os.environ.get("AVDETECT_DB"),
        model=os.environ.get("AVDETECT_MODEL", "default"),
        device=os.environ.get("AVDETECT_DEVICE", "auto"),
    )


def _make_door() -> FastAPI:
    start_logging()
    settings = settings_of_environment()
    return make_app(settings, open_store(settings))


@serve.deployment
class Judge:
    """A worker in a replica of its own."""

    def __init__(self) -> None:
        start_logging()
        settings = settings_of_environment()
        self._stop = threading.Event()
        worker = Worker(open_store(settings), settings)
        self._thread = threading.Thread(target=worker.run, args=(self._stop,))
        self._thread.start()

    def check_health(self) -> None:
        """Tell Ray to replace this replica if its worker has ended."""
        if not self._thread.is_alive():
            raise RuntimeError("the worker has ended")

    def __del__(self) -> None:
        self._stop.set()
        self._thread.join()


@serve.deployment
@serve.ingress(_make_door)
class Door:
    """The routes; it knows the judges only so that both are one application."""

    def __init__(self, judges: serve.handle.DeploymentHandle[Any]) -> None:
        self._judges = judges


application = Door.bind(Judge.bind())  # type: ignore[attr-defined]
