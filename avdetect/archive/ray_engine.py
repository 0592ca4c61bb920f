"""The Ray engine: a cluster identifies and judges by Ray Data, with a pool of actors.

Ray brings a lost node, actor or task back and runs its batch again, which gives the same answers.
A file that kills whatever opens it would be brought back for ever, so no actor opens one: each
keeps a worker process of its own under the same supervision as on a single machine.
"""

from __future__ import annotations

import logging
import math
import pickle
import socket
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from avdetect.archive.identify import identify
from avdetect.archive.pool import Limits, WorkerPool
from avdetect.archive.work import Entry, Identity, JudgeSpec, Outcome, Task
from avdetect.errors import AvdetectError, UsageError

_WINDOW = 50_000  # inputs that the driver holds and hands over at once
_IDENTIFY_ROWS = 64
_READERS = 8  # threads of a task that identifies
_BATCH_ROWS = {False: 16, True: 128}  # without and with a GPU: some times what is under way at once
_COLUMN = "item"  # rows travel pickled: names need not be text, which Arrow asks of strings
# Batches of an actor, one at work and one waiting: with more, those that start late get none.
_IN_FLIGHT = 2
_KNOCK_S = 5.0

Batch = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterShare:
    """What a run may take of a Ray cluster.

    Attributes:
        address: of the cluster, ``auto`` for the one that this machine belongs to.
        actors: that judge, None for as many as the cluster has room for.
        gpus: share of a GPU that each takes, 0 to judge on CPUs; 0.25 puts four on one.
        stall_s: seconds without a sign of life after which a worker is killed.
    """

    address: str = "auto"
    actors: int | None = None
    gpus: float = 0.0
    stall_s: float = 600.0

    def __post_init__(self) -> None:
        if self.gpus < 0:
            raise UsageError(f"gpus is {self.gpus}: it is a share of a GPU, 0 or above")


class RayEngine:
    """Works on an existing Ray cluster, whose nodes must have avdetect, the models and the files.

    Args:
        spec: what every actor's worker loads.
        share: of the cluster.

    Raises:
        UsageError: Ray is not installed, there is no such cluster, or it has no room.
    """

    def __init__(self, spec: JudgeSpec, share: ClusterShare) -> None:
        self._spec, self._share = spec, share
        self._connect()
        self._actors = share.actors or self._room()

    def identify(self, entries: Iterator[Entry]) -> Generator[Identity, None, None]:
        """Identify entries in tasks that are spread over the cluster."""
        while window := list(islice(entries, _WINDOW)):
            data = _dataset(window, _IDENTIFY_ROWS).map_batches(
                _identify_batch, batch_size=_IDENTIFY_ROWS
            )
            yield from _items(data)

    def judge(self, tasks: Iterator[Task]) -> Generator[Outcome, None, None]:
        """Judge tasks in a pool of actors.

        Raises:
            AvdetectError: the cluster is lost, or its workers cannot start.
        """
        import ray

        n_rows = _BATCH_ROWS[self._share.gpus > 0]
        while window := list(islice(tasks, _WINDOW)):
            n_actors = min(self._actors, math.ceil(len(window) / n_rows))
            data = _dataset(window, n_rows).map_batches(
                _Judging,
                fn_constructor_args=(self._spec, self._share.stall_s),
                batch_size=n_rows,
                compute=ray.data.ActorPoolStrategy(
                    min_size=1,
                    initial_size=n_actors,
                    max_size=n_actors,
                    max_tasks_in_flight_per_actor=_IN_FLIGHT,
                ),
                num_cpus=1,
                num_gpus=self._share.gpus or None,
            )
            yield from _items(data)

    def _connect(self) -> None:
        try:
            import ray
            import ray.data
        except ImportError as error:
            raise UsageError(
                'the Ray engine is not installed: pip install "avdetect[batch]"'
            ) from error
        if not ray.is_initialized():
            try:
                _knock(self._share.address)
                ray.init(
                    address=self._share.address,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    configure_logging=False,
                )
            except (OSError, ValueError) as error:
                raise UsageError(
                    f"no Ray cluster at {self._share.address!r}: start one (ray start --head), or "
                    "name it with --ray-address"
                ) from error
        ray.data.DataContext.get_current().enable_progress_bars = False

    def _room(self) -> int:
        import ray

        has: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        room = has.get("CPU", 0.0)
        if self._share.gpus:
            room = min(room, has.get("GPU", 0.0) / self._share.gpus)
        if room < 1:
            raise UsageError(
                f"the Ray cluster has no room for a worker with 1 CPU and {self._share.gpus:g} GPU"
            )
        return int(room)


def _knock(address: str) -> None:
    """Raise OSError if nothing listens there: Ray itself would try again for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_S).close()


class _Judging:
    """The actor: supervises one worker process for as long as it lives."""

    def __init__(self, spec: JudgeSpec, stall_s: float) -> None:
        limits = Limits.of_this_machine(workers=1, stall_s=stall_s)
        self._pool = WorkerPool(spec, replace(limits, threads=1))  # the one CPU that we asked for

    def __call__(self, batch: Batch) -> Batch:
        try:
            return _packed(list(self._pool.judge(iter(_unpacked(batch)))))
        except AvdetectError as error:  # the driver's to raise; Ray would take it for its own
            return _packed([error])


def _identify_batch(batch: Batch) -> Batch:
    try:
        with ThreadPoolExecutor(_READERS) as pool:
            return _packed(list(pool.map(identify, _unpacked(batch))))
    except AvdetectError as error:
        return _packed([error])


def _dataset(items: Sequence[Entry | Task], n_rows: int) -> Any:
    import ray

    rows = [{_COLUMN: pickle.dumps(item)} for item in items]
    return ray.data.from_items(rows, override_num_blocks=math.ceil(len(rows) / n_rows))


def _items(data: Any) -> Iterator[Any]:
    """Stream what a dataset gives; raises the error that came instead."""
    from ray.exceptions import RayError

    try:
        for batch in data.iter_batches(batch_size=None, batch_format="numpy"):
            for item in _unpacked(batch):
                if isinstance(item, AvdetectError):
                    raise item
                yield item
    except RayError as error:
        said = str(error).strip().splitlines()[-1]
        raise AvdetectError(f"the Ray cluster failed: {said}; run again to go on") from error


def _packed(items: Sequence[object]) -> Batch:
    return {_COLUMN: [pickle.dumps(item) for item in items]}


def _unpacked(batch: Batch) -> list[Any]:
    return [pickle.loads(bytes(item)) for item in batch[_COLUMN]]
