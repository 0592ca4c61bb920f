"""The judge of a worker process: one `Detector`, several clips under way in one batch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from avdetect.archive.fingerprint import model_fingerprint
from avdetect.archive.identify import unreadable
from avdetect.archive.storage import is_url, open_binary
from avdetect.archive.work import Outcome, Task
from avdetect.errors import CheckpointError, InputError, InputNotFoundError
from avdetect.options import ScanOptions
from avdetect.verdict import Failure, Verdict

if TYPE_CHECKING:
    from avdetect.detector import Detector
    from avdetect.scan import Scan

_SLOTS = {"cpu": 2, "cuda": 16}  # clips under way at once, which share the networks' batches
_OF_THIS_INPUT = frozenset({InputError.code, InputNotFoundError.code})


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSpec:
    """How a worker loads its detector.

    Attributes:
        model: bundle name, or path of a bundle file.
        fingerprint: what `model_fingerprint` says of it where the run began.
        device: ``auto``, ``cpu`` or ``cuda``.
        options: of every scan.
    """

    model: str
    fingerprint: str
    device: str
    options: ScanOptions

    def load(self, n_threads: int) -> DetectorJudge:
        """Load the models.

        Raises:
            CheckpointError: a model is absent or damaged, or not the one that the run began with.
            UsageError: no such device.
        """
        import torch

        from avdetect.detector import Detector

        torch.set_num_threads(n_threads)
        detector = Detector.load(self.model, device=self.device)
        found = model_fingerprint(self.model, self.options)
        if found != self.fingerprint:
            raise CheckpointError(
                f"model {self.model}: is {found} here, and the run began with {self.fingerprint}; "
                "one run uses one model everywhere: install it, and run again"
            )
        return DetectorJudge(detector, self.options)


class DetectorJudge:
    """Judges with a `Detector`; every step observes and judges some seconds of each clip."""

    def __init__(self, detector: Detector, options: ScanOptions) -> None:
        self._detector, self._options = detector, options
        self.slots = _SLOTS[detector.device]
        self._pool = ThreadPoolExecutor(self.slots)
        self._waiting: list[Task] = []
        self._active: dict[Scan, Task] = {}

    def begin(self, task: Task) -> None:
        """Take one more clip; it is opened in the next step."""
        self._waiting.append(task)

    def step(self) -> list[Outcome]:
        """Open what waits, move every clip on by one observation, conclude those at their end."""
        from avdetect.scan import Scan

        outcomes = []
        opened = self._pool.map(self._open, self._waiting)
        for task, scan in zip(self._waiting, opened, strict=True):
            if isinstance(scan, Scan):
                self._active[scan] = task
            else:
                outcomes.append(Outcome(task.position, task.sha256, failure=scan))
        self._waiting = []
        under_way = set(self._detector.advance(list(self._active), self._pool))
        for scan in [scan for scan in self._active if scan not in under_way]:
            outcomes.append(self._conclude(scan, self._active.pop(scan)))
        return outcomes

    def _open(self, task: Task) -> Scan | Failure:
        from avdetect.scan import Scan

        if not is_url(task.path):
            return Scan(task.path, self._options)
        try:
            with open_binary(task.path) as stream:  # copied to this machine, read from the copy
                return Scan(stream, replace(self._options, name=task.path))
        except InputError as error:
            return Failure(code=error.code, message=str(error))
        except Exception as error:  # noqa: BLE001  (as in `identify`)
            return unreadable(task.path, error)

    def _conclude(self, scan: Scan, task: Task) -> Outcome:
        verdict = self._detector.conclude(scan)
        scan.close()
        if verdict.error is not None and verdict.error.code in _OF_THIS_INPUT:
            return Outcome(task.position, task.sha256, failure=verdict.error)
        return Outcome(task.position, verdict.input.sha256 or task.sha256, verdict=_kept(verdict))


def _kept(verdict: Verdict) -> str:
    """What an archive keeps: all but the timelines, which outgrow the rest on long calls."""
    return verdict.model_copy(update={"timeline": (), "fused_timeline": ()}).to_json()
