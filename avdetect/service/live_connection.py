"""One connection of a live call: one task reads, one judges, and reading waits for judging.

Nothing grows: what was read and not judged is bounded by seconds, then reading stops, the socket's
buffers fill and the sender has to wait. Pings are answered meanwhile. When judging is late, only
the latest of the judgements that were due is made.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass

from starlette.websockets import WebSocket, WebSocketDisconnect

from avdetect.errors import AvdetectError, InputError
from avdetect.service.live_calls import CallState, LiveCall, LiveCalls
from avdetect.streaming.inlet import SAMPLE_BYTES
from avdetect.streaming.protocols.events import CallProtocol, Ended, Reply, Sound, Started
from avdetect.streaming.session import CHUNK_S, StreamSession
from avdetect.streaming.updates import Update

IDLE_S = 300.0  # without a word; a paused AudioHook pings
_READ_AHEAD_S = 5.0

Admit = Callable[[str | None], Awaitable[str | None]]  # API key -> its owner, if it may stream


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How a connection ends: a close code of RFC 6455 (section 7.4), and why."""

    state: CallState = CallState.ENDED
    code: int = 1000
    reason: str = ""

    @staticmethod
    def broken(code: int, reason: str) -> _Outcome:
        return _Outcome(CallState.BROKEN, code, reason)


class _TurnedAwayError(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.outcome = _Outcome.broken(code, reason)


class LiveConnection:
    """Serves one accepted WebSocket to its end.

    Args:
        socket: accepted.
        protocol: what is spoken on it.
        calls: where the call is entered.
        owner: whose call it is; None where the protocol itself must bring the key.
        admit: asked about such a key.
    """

    def __init__(
        self,
        socket: WebSocket,
        protocol: CallProtocol,
        calls: LiveCalls,
        owner: str | None,
        admit: Admit,
    ) -> None:
        self._socket, self._protocol, self._calls = socket, protocol, calls
        self._owner, self._admit = owner, admit
        self._call: LiveCall | None = None
        self._judging: asyncio.Task[None] | None = None
        self._pending: list[Sound] = []
        self._pending_s: defaultdict[str | None, float] = defaultdict(float)
        self._is_over = False
        self._moved = asyncio.Condition()  # the pending sound, or the end

    async def serve(self) -> None:
        """Read and judge until the call ends, the sender leaves or breaks the protocol."""
        outcome = _Outcome.broken(1011, "the service failed: its log says where")
        try:
            outcome = await self._hold()
        finally:
            if self._judging is not None:
                self._judging.cancel()  # already over, unless the server stops
            if self._call is not None:
                await self._call.end(outcome.state)
            with suppress(RuntimeError, OSError, WebSocketDisconnect):  # closed by the other side
                await self._socket.close(outcome.code, outcome.reason[:100])

    async def _hold(self) -> _Outcome:
        outcome = await self._read()
        if self._judging is not None:
            async with self._moved:
                self._is_over = True
                self._moved.notify_all()
            try:
                await self._judging
            except AvdetectError as error:
                outcome = _Outcome.broken(1007, str(error))
        if outcome.state is CallState.ENDED:
            await self._send(self._protocol.ended())
        else:
            await self._send(self._protocol.refused(outcome.reason))
        return outcome

    async def _read(self) -> _Outcome:
        try:
            async with aclosing(self._events()) as events:
                async for event in events:
                    if isinstance(event, Started):
                        await self._start(event)
                    else:
                        await self._take(event)
        except _TurnedAwayError as turned_away:
            return turned_away.outcome
        except InputError as error:
            return _Outcome.broken(1007, str(error))
        except TimeoutError:
            return _Outcome.broken(1008, f"not a word for {IDLE_S:.0f} s")
        except WebSocketDisconnect:
            return _Outcome.broken(1000, "the connection was lost")
        return _Outcome()

    async def _events(self) -> AsyncGenerator[Started | Sound, None]:
        """What the sender says, until it ends the call; replies are sent on the way."""
        while True:
            async with asyncio.timeout(IDLE_S):
                message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            text = message.get("text")
            for event in self._protocol.receive(message["bytes"] if text is None else text):
                if isinstance(event, Ended):
                    return
                if isinstance(event, Reply):
                    await self._send([event.text])
                else:
                    yield event

    async def _start(self, started: Started) -> None:
        owner = self._owner if self._owner is not None else await self._admit(started.key)
        if owner is None:
            raise _TurnedAwayError(1008, "no valid API key")
        self._call = self._calls.begin(owner, started.call_id, started.options)
        if self._call is None:
            raise _TurnedAwayError(1013, "no room for another call, or this one is on the line")
        self._judging = asyncio.create_task(self._judge(self._call, self._call.session))

    async def _take(self, sound: Sound) -> None:
        """Put sound in line; waits while too much is there."""
        assert self._call is not None, "protocols start before there is sound"
        options = self._call.session.options
        n_tracks = len(options.tracks) if sound.track is None else 1
        rate = options.rate_hz * SAMPLE_BYTES[options.encoding] * n_tracks
        async with self._moved:
            await self._moved.wait_for(self._has_room)
            self._pending.append(sound)
            self._pending_s[sound.track] += len(sound.data) / rate
            self._moved.notify_all()

    def _has_room(self) -> bool:
        if self._judging is not None and self._judging.done():
            self._judging.result()  # raises what ended it
        return self._waiting_s() < _READ_AHEAD_S

    def _waiting_s(self) -> float:
        return max(self._pending_s.values(), default=0.0)

    async def _judge(self, call: LiveCall, session: StreamSession) -> None:
        try:
            while True:
                async with self._moved:
                    await self._moved.wait_for(
                        lambda: self._is_over or self._waiting_s() >= CHUNK_S
                    )
                    batch, self._pending = self._pending, []
                    self._pending_s.clear()
                    is_last = self._is_over
                    self._moved.notify_all()
                updates = await asyncio.get_running_loop().run_in_executor(
                    self._calls.threads, _hear, session, batch, is_last
                )
                for update in updates:
                    await self._calls.told(call, update)
                    await self._send(self._protocol.updated(update))
                if is_last:
                    return
        finally:
            async with self._moved:
                self._moved.notify_all()  # a reader that waits for room learns that it ended

    async def _send(self, messages: list[str]) -> None:
        """Send, if anybody is there: a call is judged to its end though its sender has left."""
        with suppress(RuntimeError, OSError, WebSocketDisconnect, TimeoutError):
            for message in messages:
                async with asyncio.timeout(IDLE_S):
                    await self._socket.send_text(message)


def _hear(session: StreamSession, batch: list[Sound], is_last: bool) -> list[Update]:
    for sound in batch:
        session.put(sound.data, sound.track, sound.at_s)
    updates = list(session.advance())
    return [*updates, *session.finish()] if is_last else updates
