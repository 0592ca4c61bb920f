"""The fault campaign: scans go in while the service is killed, starved and cut off around them.

``python -m eval.campaign --scans 200`` runs a real service on a real PostgreSQL (on SQLite where
there is none, said in the log). Several clients hand in clips and wait for the verdicts, while at
random workers, decoders and the server are killed with ``kill -9``, the database crashes and comes
back, the disk is full, uploads break off and malformed requests come in. In the end every scan that
was taken must have been answered once, with the verdict that the same clip gets on the undisturbed
service; the audit log must hold; no clip or process may be left over, nor memory or open files have
grown.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from avdetect.client import Client
from avdetect.doctor import babble
from avdetect.errors import ServiceError
from avdetect.media.arrays import wav_bytes
from avdetect.timebase import SAMPLE_RATE_HZ
from avdetect.verdict import Verdict
from eval.campaign_faults import Faults
from eval.postgres import PostgresServer, why_not
from eval.service_process import ServiceProcess, children

_N_CLIENTS = 4
_SECONDS_OF_CLIPS = (3.0, 4.0, 5.0, 9.0)
_MOST_GROWTH = 1.3  # of memory, against the undisturbed service
_MORE_FILES = 8  # open ones: connections that are still kept alive
_PATIENCE_S = 3600.0
_TIDY_S = 120.0
_Answer = TypeVar("_Answer")


class Campaign:
    """One campaign: its service, its clients, and what they were told."""

    def __init__(self, folder: Path, n_scans: int, seed: int) -> None:
        self._n_scans = n_scans
        no_postgres = why_not()
        self._database = None if no_postgres else PostgresServer(folder / "postgres")
        _say(f"database: SQLite ({no_postgres})" if no_postgres else "database: PostgreSQL")
        self._service = ServiceProcess(
            folder / "service",
            db=self._database.url if self._database else None,
            options={"--max-queue": "12"},
        )
        self._faults = Faults(self._service, self._database, random.Random(seed))
        self._rng = random.Random(seed + 1)
        self._clips = _clips()
        self._truth: list[str] = []
        self._lock = threading.Lock()
        self._todo = list(range(n_scans))
        self._answers: dict[str, list[str]] = {}  # of each scan, all that was ever answered
        self._clip_of: dict[str, int] = {}
        self.problems: list[str] = []

    def run(self) -> None:
        """The whole campaign; what must not be is in ``problems`` afterwards."""
        self._service.start()
        try:
            self._truth = self._judge_undisturbed()
            before = self._measure()
            self._disturb()
            self.problems += self._faults.unseen
            self._check_answers()
            self._require(self._judge_undisturbed() == self._truth, "verdicts differ afterwards")
            self._check_growth(before, self._measure())
            self._check_audit()
            self._check_leftovers()
        finally:
            self._service.stop()
            if self._database is not None:
                self._database.stop()

    def _judge_undisturbed(self) -> list[str]:
        with self._client() as client:
            return [_essence(client.scan(clip, timeout_s=_PATIENCE_S)) for clip in self._clips]

    def _disturb(self) -> None:
        clients = [threading.Thread(target=self._hand_in) for _ in range(_N_CLIENTS)]
        for client in clients:
            client.start()
        while any(client.is_alive() for client in clients):
            self._faults.make_one()
            time.sleep(self._rng.uniform(1.0, 10.0))
        for client in clients:
            client.join()

    def _hand_in(self) -> None:
        while True:
            with self._lock:
                if not self._todo:
                    return
                turn = self._todo.pop()
            clip, key = turn % len(self._clips), f"turn-{turn}"
            scan_id = self._insist(partial(self._submit, clip, key))
            ask = partial(_wait, scan_id)
            verdict, again = self._insist(ask), self._insist(ask)
            with self._lock:
                self._clip_of[scan_id] = clip
                self._answers[scan_id] = [_essence(verdict), _essence(again)]
                _say(f"scan {len(self._answers)} of {self._n_scans} answered")

    def _submit(self, clip: int, key: str, client: Client) -> str:
        return client.submit(self._clips[clip], idempotency_key=key).id

    def _insist(self, ask: Callable[[Client], _Answer]) -> _Answer:
        while True:
            try:
                with self._client() as client:
                    return ask(client)
            except ServiceError as error:
                _say(f"a client was told: {error.code}")
                time.sleep(1.0)

    def _client(self) -> Client:
        return Client(self._service.address, self._service.key)

    def _measure(self) -> Counter[str]:
        """Memory (MiB) and open files of the server and its workers."""
        found: Counter[str] = Counter()
        for name, pids in (("server", [self._service.pid]), ("workers", self._service.workers())):
            for pid in pids:
                found[f"{name} MiB"] += _memory_mib(pid)
                found[f"{name} open files"] += len(list(Path(f"/proc/{pid}/fd").iterdir()))
        _say("  ".join(f"{key}: {value}" for key, value in found.items()))
        return found

    def _check_answers(self) -> None:
        self._require(len(self._answers) == self._n_scans, "not every scan was answered")
        for scan_id, answers in self._answers.items():
            truth = self._truth[self._clip_of[scan_id]]
            self._require(set(answers) == {truth}, f"{scan_id} was answered differently: {answers}")

    def _check_growth(self, before: Counter[str], after: Counter[str]) -> None:
        for name, value in after.items():
            most = before[name] * _MOST_GROWTH if "MiB" in name else before[name] + _MORE_FILES
            self._require(value <= most, f"{name} grew from {before[name]} to {value}")

    def _check_audit(self) -> None:
        _say(self._service.run("audit", "verify").strip())  # exit code 3 would raise here
        lines = [json.loads(line) for line in self._service.run("audit", "show").splitlines()]
        for action in ("scan.submit", "scan.judged"):
            counts = Counter(line["subject"] for line in lines if line["action"] == action)
            ours = {scan_id: counts[scan_id] for scan_id in self._answers}
            self._require(set(ours.values()) == {1}, f"{action} is not there once: {ours}")

    def _check_leftovers(self) -> None:
        ends_at = time.monotonic() + _TIDY_S
        media = self._service.folder / "media"
        while (left := list(media.iterdir())) and time.monotonic() < ends_at:
            time.sleep(1.0)
        # An upload that a killed server left behind is deleted after an hour; clips are not there.
        self._require(all(path.suffix == ".part" for path in left), f"clips are left over: {left}")
        decoders = [pid for worker in self._service.workers() for pid in children(worker)]
        self._require(not decoders, f"{len(decoders)} decoding processes are left over")

    def _require(self, holds: bool, problem: str) -> None:
        if not holds:
            self.problems.append(problem)

    def summary(self) -> str:
        """The last lines of the log."""
        faults = ", ".join(f"{n} {name}" for name, n in sorted(self._faults.counts.items()))
        lines = [f"{len(self._answers)} of {self._n_scans} scans answered", f"faults: {faults}"]
        lines += [f"PROBLEM: {problem}" for problem in self.problems]
        return "\n".join([*lines, "FAILED" if self.problems else "PASSED"])


def _clips() -> list[bytes]:
    """Calls of different lengths, and something that is no clip."""
    voices = [
        wav_bytes((babble(seconds, seed=seed), SAMPLE_RATE_HZ), "clip")
        for seed, seconds in enumerate(_SECONDS_OF_CLIPS)
    ]
    return [*voices, b"this is no clip\n" * 100]


def _wait(scan_id: str, client: Client) -> Verdict:
    return client.wait(scan_id, timeout_s=_PATIENCE_S)


def _essence(verdict: Verdict) -> str:
    """A verdict without what names the scan: its input's name, which messages repeat."""
    text = verdict.to_json()
    return text.replace(verdict.input.path, "-")


def _memory_mib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    return 0


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)


def main() -> int:
    """Run a campaign; exit code 1 if anything was lost, doubled, changed or left over."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scans", type=int, default=200, help="how many clips to hand in")
    parser.add_argument("--seed", type=int, default=0, help="of the faults' order and times")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="avdetect-campaign-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL's own user must reach its folder below
        campaign = Campaign(Path(folder), given.scans, given.seed)
        campaign.run()
    print(campaign.summary())
    return 1 if campaign.problems else 0


if __name__ == "__main__":
    sys.exit(main())
