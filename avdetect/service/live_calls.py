"""The calls that are on the line at this server, and the last word on those that ended."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum

import torch
from pydantic import BaseModel, ConfigDict

from avdetect.detector import Detector
from avdetect.nn.fixed_batch import batch_size
from avdetect.streaming.options import StreamOptions
from avdetect.streaming.session import StreamSession
from avdetect.streaming.shared import SharedBranches
from avdetect.streaming.updates import LiveVerdict, Update

_ENDED_KEPT = 1_000  # calls whose verdicts can still be asked for

OnVerdict = Callable[[str, str, LiveVerdict], Awaitable[None]]  # owner, call, verdict


class CallState(StrEnum):
    """Where a live call stands."""

    LIVE = "live"
    ENDED = "ended"
    BROKEN = "broken"  # the connection or its protocol broke; judged is what had come


class CallResource(BaseModel):
    """One call: for every track the latest judgement, in the end its verdict."""

    model_config = ConfigDict(frozen=True)

    call_id: str
    state: CallState
    tracks: dict[str, Update]


class LiveCall:
    """One call's latest updates; whoever follows it is told of each, or of the latest if slow."""

    def __init__(self, owner: str, call_id: str, session: StreamSession) -> None:
        self.owner, self.call_id, self.session = owner, call_id, session
        self.state = CallState.LIVE
        self._latest: dict[str, Update] = {}
        self._changed = asyncio.Condition()

    @property
    def resource(self) -> CallResource:
        """As it goes on the wire."""
        return CallResource(call_id=self.call_id, state=self.state, tracks=dict(self._latest))

    async def publish(self, update: Update) -> None:
        """Make an update the track's latest and tell the followers."""
        async with self._changed:
            self._latest[update.track] = update
            self._changed.notify_all()

    async def end(self, state: CallState) -> None:
        """No more updates will come; the session and its sound are let go."""
        async with self._changed:
            self.state = state
            del self.session
            self._changed.notify_all()

    async def follow(self) -> AsyncIterator[Update]:
        """Updates as they come, until the call has ended."""
        told: dict[str, Update] = {}
        while True:
            async with self._changed:
                while self.state is CallState.LIVE and told == self._latest:
                    await self._changed.wait()
                is_live = self.state is CallState.LIVE
                news = [u for track, u in self._latest.items() if told.get(track) is not u]
                told = dict(self._latest)
            for update in news:
                yield update
            if not is_live:
                return


class LiveCalls:
    """All calls of one server, judged by one detector in shared batches.

    Args:
        detector: what judges.
        max_calls: calls on the line at once; further ones are turned away.
        on_verdict: told of every verdict, such as for an audit log or a webhook.
    """

    def __init__(
        self, detector: Detector, *, max_calls: int = 32, on_verdict: OnVerdict | None = None
    ) -> None:
        self._detector, self._max_calls, self._on_verdict = detector, max_calls, on_verdict
        batch = batch_size(torch.device(detector.device))
        self._shared = SharedBranches(detector.judges.branches, batch)
        self._calls: OrderedDict[tuple[str, str], LiveCall] = OrderedDict()
        # A thread for each call: most of them wait for their turn in a batch.
        self.threads = ThreadPoolExecutor(max_workers=max_calls, thread_name_prefix="live-call")

    @property
    def n_live(self) -> int:
        """Calls on the line."""
        return sum(call.state is CallState.LIVE for call in self._calls.values())

    @property
    def is_full(self) -> bool:
        """Whether a further call would be turned away."""
        return self.n_live >= self._max_calls

    def find(self, owner: str, call_id: str) -> LiveCall | None:
        """The owner's call of that name, on the line or ended not long ago."""
        return self._calls.get((owner, call_id))

    def begin(self, owner: str, call_id: str, options: StreamOptions) -> LiveCall | None:
        """A new call; None where there is no room or the owner has that call on the line."""
        known = self.find(owner, call_id)
        if self.is_full or (known is not None and known.state is CallState.LIVE):
            return None
        call = LiveCall(owner, call_id, StreamSession(self._detector, options, self._shared))
        self._calls.pop((owner, call_id), None)
        self._calls[owner, call_id] = call
        ended = [key for key, each in self._calls.items() if each.state is not CallState.LIVE]
        for key in ended[: max(0, len(ended) - _ENDED_KEPT)]:
            del self._calls[key]
        return call

    async def told(self, call: LiveCall, update: Update) -> None:
        """Pass an update on to all who want it."""
        await call.publish(update)
        if self._on_verdict is not None and isinstance(update, LiveVerdict):
            await self._on_verdict(call.owner, call.call_id, update)

    def close(self) -> None:
        """Let the threads end; calls on the line are judged to where they stand."""
        self.threads.shutdown(wait=False)
