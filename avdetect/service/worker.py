"""A worker: takes jobs, judges them together on one device, writes each answer once."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

import numpy as np
from sqlalchemy.exc import DBAPIError

from avdetect.detector import Detector
from avdetect.errors import CheckpointError, InputError, ServiceError
from avdetect.media.arrays import wav_bytes
from avdetect.scan import Scan
from avdetect.service import audit, housekeeping, jobs, model_choice
from avdetect.service.jobs import Job
from avdetect.service.logs import log
from avdetect.service.sandbox import DecoderCrashedError, open_confined
from avdetect.service.settings import ServiceSettings
from avdetect.service.store import Store
from avdetect.service.uploads import PART_SUFFIX
from avdetect.verdict import Verdict

_AT_ONCE = {"cpu": 2, "cuda": 16}
_LOOK_EVERY_S = 0.5
_AWAY_S = 1.0  # before a database that does not answer is asked again
_HUNG_S = 900.0  # one step of a batch takes seconds
_HUNG_EXIT_CODE = 70


@dataclass(slots=True)
class _Held:
    """A job under way; ``verdict`` once it is judged and until it is written."""

    job: Job
    scan: Scan
    verdict: Verdict | None = None


class Worker:
    """Judges jobs until told to stop; clips come and go in its batch, none waits for another."""

    def __init__(
        self, store: Store, settings: ServiceSettings, *, lease_s: float = jobs.LEASE_S
    ) -> None:
        """Load the model in use and check that decoding works here.

        Raises:
            CheckpointError: the model does not load.
            ServiceError: this system cannot confine a decoding process.
        """
        self._store, self._settings, self._lease_s = store, settings, lease_s
        _check_confinement(settings)
        with store.reading() as session:
            self._model = model_choice.chosen(session, settings.model)
        self._detector = Detector.load(self._model, device=settings.device)
        self._refused_model: str | None = None
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()  # of `_held`, which the renewing thread reads
        self._moved_at = time.monotonic()

    def run(self, stop: threading.Event) -> None:
        """Take and judge jobs until ``stop`` is set; what is not finished then is given back."""
        at_once = _AT_ONCE[self._detector.device]
        with ThreadPoolExecutor(at_once) as pool, self._renewing():
            while not stop.is_set():
                self._moved_at = time.monotonic()
                try:
                    self._take(at_once, pool)
                    if not self._held:
                        stop.wait(_LOOK_EVERY_S)
                    self._judge(pool)
                    self._write()
                except DBAPIError:
                    log("database.away", level=30, error=True)
                    stop.wait(_AWAY_S)
            self._give_back_all()

    def _take(self, at_once: int, pool: Executor) -> None:
        with self._store.reading() as session:
            wanted = model_choice.chosen(session, self._settings.model)
        if wanted not in (self._model, self._refused_model):
            if self._held:
                return  # what is under way ends with the model it began with
            self._change_model(wanted)
        free = at_once - len(self._held)
        if not free:
            return
        with self._store.writing() as session:
            taken = jobs.claim(session, free, lease_s=self._lease_s)
        for held in pool.map(self._open, taken):
            if held.job.scan_id in self._held:  # our own lease ran out while the database was away
                self._drop(self._held[held.job.scan_id])
            with self._lock:
                self._held[held.job.scan_id] = held

    def _open(self, job: Job) -> _Held:
        log("scan.taken", scan=job.scan_id, attempt=job.attempt)
        confined = partial(open_confined, limits=self._settings.limits)
        path = self._settings.media_path(job.scan_id)
        return _Held(job, Scan(path, job.options, open_with=confined))

    def _judge(self, pool: Executor) -> None:
        going = [held for held in self._held.values() if held.verdict is None]
        fresh = [held for held in going if held.job.attempt == 1]
        # Whatever failed before is judged alone: it may be what made the batch fail.
        for batch in [fresh, *([held] for held in going if held.job.attempt > 1)]:
            if batch:
                self._step(batch, pool)

    def _step(self, batch: Sequence[_Held], pool: Executor) -> None:
        try:
            under_way = self._detector.advance([held.scan for held in batch], pool)
            for held in batch:
                if held.scan not in under_way:
                    held.scan.close()
                    held.verdict = self._detector.conclude(held.scan)
        except Exception:  # noqa: BLE001  (a bug met by one clip must not end the service)
            log("batch.failed", level=40, error=True, scans=[held.job.scan_id for held in batch])
            for held in batch:
                self._drop(held)
                with self._store.writing() as session:
                    jobs.give_back(session, held.job, failed=True)

    def _write(self) -> None:
        for held in list(self._held.values()):
            if held.verdict is None:
                continue
            if self._deserves_another_try(held):
                self._retry(held)
                continue
            with self._store.writing() as session:
                written = jobs.finish(session, held.job, held.verdict)
            self._drop(held)
            log("scan.done" if written else "scan.lost", scan=held.job.scan_id)
            if written and self._settings.keep_media_h == 0:
                housekeeping.drop_media(self._store, self._settings, held.job.scan_id)

    def _deserves_another_try(self, held: _Held) -> bool:
        error = None if held.verdict is None else held.verdict.error
        crashed = error is not None and error.code == DecoderCrashedError.code
        return crashed and held.job.attempt < jobs.MOST_ATTEMPTS

    def _retry(self, held: _Held) -> None:
        with self._store.writing() as session:
            jobs.give_back(session, held.job, failed=True)
        log("decoder.crashed", level=30, scan=held.job.scan_id, attempt=held.job.attempt)
        self._drop(held)

    def _drop(self, held: _Held) -> None:
        held.scan.close()
        with self._lock:
            self._held.pop(held.job.scan_id, None)

    def _give_back_all(self) -> None:
        for held in list(self._held.values()):
            self._drop(held)
            with suppress(DBAPIError), self._store.writing() as session:
                jobs.give_back(session, held.job, failed=False)

    def _change_model(self, wanted: str) -> None:
        try:
            detector = Detector.load(wanted, device=self._settings.device)
        except CheckpointError:
            log("model.refused", level=40, error=True, model=wanted)
            self._refused_model = wanted
            with self._store.writing() as session:
                audit.append(session, actor="worker", action="model.refuse", subject=wanted)
            return
        self._detector, self._model, self._refused_model = detector, wanted, None
        facts = {"models": {model.id: model.sha256 for model in detector.model_ids}}
        with self._store.writing() as session:
            audit.append(session, actor="worker", action="model.load", subject=wanted, facts=facts)

    @contextmanager
    def _renewing(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=self._renew_until, args=(stop,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _renew_until(self, stop: threading.Event) -> None:
        while not stop.wait(self._lease_s / 4):
            if time.monotonic() - self._moved_at > _HUNG_S:
                # Renewing for a thread that hangs would keep its jobs from everybody, for ever.
                log("worker.hung", level=50)
                os._exit(_HUNG_EXIT_CODE)
            with self._lock:
                held = [each.job for each in self._held.values()]
            with suppress(DBAPIError), self._store.writing() as session:
                jobs.renew(session, held, lease_s=self._lease_s)


def _check_confinement(settings: ServiceSettings) -> None:
    """Decode half a second of silence as any clip is decoded."""
    # Named as an upload under way is: housekeeping deletes what a killed worker leaves behind.
    path = settings.media / f"{uuid.uuid4().hex}{PART_SUFFIX}"
    path.write_bytes(wav_bytes((np.zeros(8000, np.float32), 16_000), path.name))
    try:
        with open_confined(path, raw=None, name="self-check", limits=settings.limits) as clip:
            if not any(True for _ in clip.chunks()):
                raise ServiceError("the decoding process gave nothing")
    except InputError as error:
        raise ServiceError(
            "this system cannot confine a decoding process (Linux with seccomp on x86-64 or arm64 "
            f"is needed): {error}"
        ) from error
    finally:
        path.unlink(missing_ok=True)
