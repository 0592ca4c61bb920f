"""One set of networks for many calls: what waits at the same time is judged in one batch."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from avdetect.branches.base import Branch, BranchOutput
from avdetect.judgement import run_branches
from avdetect.nn.fixed_batch import CPU_BATCH
from avdetect.observation import Observation


@dataclass(slots=True, eq=False)
class _Wanted:
    observation: Observation
    outputs: dict[str, list[BranchOutput]] | None = None
    failure: BaseException | None = None

    @property
    def is_done(self) -> bool:
        return self.outputs is not None or self.failure is not None


class SharedBranches:
    """Runs branches for sessions in several threads, first come, first served.

    A network's batch costs the same whether it is full or not (`avdetect.nn.fixed_batch`), and an
    observation's result does not depend on its company; so calls share batches.

    Args:
        branches: as of `Judges.branches`.
        most: observations in one batch.
    """

    def __init__(self, branches: Mapping[str, Branch], most: int = CPU_BATCH) -> None:
        self._branches, self._most = branches, most
        self._waiting: deque[_Wanted] = deque()
        self._working = threading.Lock()

    def __call__(self, observations: Sequence[Observation]) -> list[dict[str, list[BranchOutput]]]:
        """What every branch says of every observation; waits for its turn."""
        wanted = [_Wanted(observation) for observation in observations]
        self._waiting.extend(wanted)
        while not all(item.is_done for item in wanted):
            with self._working:  # whoever gets it works for those who wait behind
                if not all(item.is_done for item in wanted):
                    self._judge_some()
        for item in wanted:
            if item.failure is not None:
                raise item.failure
        return [item.outputs for item in wanted if item.outputs is not None]

    def _judge_some(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            found = run_branches(self._branches, [item.observation for item in batch])
        except BaseException as error:
            for item in batch:
                item.failure = error
            raise
        for item, outputs in zip(batch, found, strict=True):
            item.outputs = outputs
