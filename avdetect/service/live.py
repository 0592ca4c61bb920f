"""``/v1/live``: calls that are on the line, by WebSocket in three protocols, followed by HTTP.

/v1/live/pcm         our own protocol: judgements come back on the same connection
/v1/live/twilio      Twilio Media Streams
/v1/live/audiohook   Genesys AudioHook
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, WebSocket
from fastapi.responses import JSONResponse, StreamingResponse

from avdetect.service.live_calls import CallResource, LiveCall, LiveCalls
from avdetect.service.live_connection import Admit, LiveConnection
from avdetect.streaming.protocols.audiohook import AudioHookCall
from avdetect.streaming.protocols.events import CallProtocol
from avdetect.streaming.protocols.plain import PlainCall
from avdetect.streaming.protocols.twilio import TwilioCall

_RETRY_S = 10

Prior = Annotated[float, Query(gt=0, lt=1, description="before anybody listened")]
StopAt = Annotated[float | None, Query(gt=0.5, lt=1, description="confidence that ends a track")]


def live_routes(calls: LiveCalls, admit: Admit) -> APIRouter:
    """Routes of live calls.

    Args:
        calls: where calls are entered and judged.
        admit: gives the owner of an API key that may stream, None for any other. The key stands in
            ``Authorization: Bearer`` or ``X-API-Key``; Twilio, which sends neither, brings it as
            the stream's parameter ``api_key``.
    """
    router = APIRouter(prefix="/v1/live", tags=["live calls"])

    @router.websocket("/pcm")
    async def pcm(socket: WebSocket) -> None:
        await _serve(socket, PlainCall, calls, admit)

    @router.websocket("/twilio")
    async def twilio(socket: WebSocket, prior_fake: Prior = 0.5, stop_at: StopAt = None) -> None:
        await _serve(socket, lambda: TwilioCall(prior_fake, stop_at), calls, admit, late_key=True)

    @router.websocket("/audiohook")
    async def audiohook(socket: WebSocket, prior_fake: Prior = 0.5, stop_at: StopAt = None) -> None:
        await _serve(socket, lambda: AudioHookCall(prior_fake, stop_at), calls, admit)

    @router.get("/{call_id}", response_model=CallResource)
    async def latest(call_id: str, request: Request) -> CallResource:
        """Every track's latest judgement, in the end its verdict."""
        return (await _owned_call(request, call_id, calls, admit)).resource

    @router.get("/{call_id}/updates", response_class=StreamingResponse)
    async def follow(call_id: str, request: Request) -> StreamingResponse:
        """Updates as they come, one JSON object a line, until the call has ended."""
        call = await _owned_call(request, call_id, calls, admit)

        async def lines() -> AsyncIterator[str]:
            async for update in call.follow():
                yield update.to_json() + "\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    return router


async def _serve(
    socket: WebSocket,
    protocol: Callable[[], CallProtocol],
    calls: LiveCalls,
    admit: Admit,
    *,
    late_key: bool = False,
) -> None:
    key = _key(socket)
    owner = await admit(key) if key is not None or not late_key else None
    if owner is None and (key is not None or not late_key):
        await socket.send_denial_response(_refusal(401, "key", "give a valid API key"))
        return
    if calls.is_full:
        busy = _refusal(503, "busy", "no room for another call: try again later")
        busy.headers["Retry-After"] = str(_RETRY_S)
        await socket.send_denial_response(busy)
        return
    await socket.accept()
    await LiveConnection(socket, protocol(), calls, owner, admit).serve()


async def _owned_call(request: Request, call_id: str, calls: LiveCalls, admit: Admit) -> LiveCall:
    owner = await admit(_key(request))
    if owner is None:
        raise HTTPException(401, "give a valid API key", {"WWW-Authenticate": "Bearer"})
    call = calls.find(owner, call_id)
    if call is None:
        raise HTTPException(404, "no such call on the line, nor ended of late")
    return call


def _key(connection: Request | WebSocket) -> str | None:
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key:
        return key
    return connection.headers.get("x-api-key")


def _refusal(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status)
