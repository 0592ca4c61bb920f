"""Many calls at once in real time: how late are judgements, and how many calls are held?"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import numpy as np

from avdetect.detector import Detector
from avdetect.streaming.options import StreamOptions
from avdetect.streaming.session import StreamSession
from avdetect.streaming.shared import SharedBranches
from avdetect.streaming.track import RunBranches
from avdetect.streaming.updates import LiveJudgement

PACKET_S = 0.1
HELD_P95_S = 1.0  # judgements later than the next is due are no longer live
_RATE_HZ = 8_000


@dataclass(slots=True)
class LoadResult:
    """What a number of calls at once came to.

    Attributes:
        n_calls: at once, in real time, one leg each.
        late_s: for every judgement, from the arrival of the packet that made it due to its being
            there; grows without bound where the calls are too many.
        age_s: for every judgement, how old the last sound in it was by then.
        cpu_s: processor seconds of this process for each second of a call.
    """

    n_calls: int
    late_s: list[float] = field(default_factory=list)
    age_s: list[float] = field(default_factory=list)
    cpu_s: float = 0.0

    @property
    def is_held(self) -> bool:
        """Whether 95 % of the judgements came before the next one was due."""
        return bool(self.late_s) and float(np.percentile(self.late_s, 95)) <= HELD_P95_S


def run_calls(detector: Detector, sound: bytes, n_calls: int, seconds: float) -> LoadResult:
    """Hold calls for some seconds of the clock.

    Args:
        detector: judges all of them in shared batches.
        sound: µ-law at 8 kHz with speech in it; every call begins elsewhere in it.
        n_calls: at once.
        seconds: length of each call.
    """
    result = LoadResult(n_calls)
    shared = SharedBranches(detector.judges.branches)
    begin_s, begin_cpu_s = time.monotonic(), time.process_time()
    threads = [
        threading.Thread(
            target=_hold,
            args=(detector, shared, _from(sound, index / n_calls), begin_s, seconds, result),
        )
        for index in range(n_calls)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result.cpu_s = (time.process_time() - begin_cpu_s) / (n_calls * seconds)
    return result


def _hold(
    detector: Detector,
    shared: RunBranches,
    sound: bytes,
    begin_s: float,
    seconds: float,
    result: LoadResult,
) -> None:
    session = StreamSession(detector, StreamOptions(encoding="ulaw"), shared)
    size = round(PACKET_S * _RATE_HZ)
    for number in range(round(seconds / PACKET_S)):
        due_s = begin_s + (number + 1) * PACKET_S  # a packet is whole when its last sample is said
        time.sleep(max(0.0, due_s - time.monotonic()))
        at = number * size % (len(sound) - size)
        for update in session.push(sound[at : at + size]):
            if isinstance(update, LiveJudgement):
                now_s = time.monotonic()
                result.late_s.append(now_s - due_s)
                result.age_s.append(now_s - begin_s - update.heard_s)


def _from(sound: bytes, share: float) -> bytes:
    at = round(share * len(sound))
    return sound[at:] + sound[:at]


def load_text(results: list[LoadResult]) -> str:
    """A table, one row for each number of calls."""
    lines = [
        "| calls | judgements | late p50 | late p95 | age p50 | age p95 | CPU a call | held |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        percentiles = [
            f"{1000 * np.percentile(values, q):.0f} ms" if values else ""
            for values in (result.late_s, result.age_s)
            for q in (50, 95)
        ]
        held = "yes" if result.is_held else "no"
        cells = [result.n_calls, len(result.late_s), *percentiles, f"{result.cpu_s:.1%}", held]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)
