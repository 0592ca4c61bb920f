"""The web application: routes, refusals as JSON, one log line and two metrics per request."""

from __future__ import annotations

import time
from importlib.metadata import version

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from avdetect.service import health_routes, metrics, model_routes, refusals, scan_routes
from avdetect.service.logs import log
from avdetect.service.refusals import RefusedError
from avdetect.service.settings import ServiceSettings
from avdetect.service.state import ServiceState
from avdetect.service.store import Store

_PARTS = (scan_routes, model_routes, health_routes)
_ROUTES = [r for part in _PARTS for r in part.router.routes if isinstance(r, APIRoute)]
_PROBES = frozenset(("/healthz", "/readyz", "/metrics"))


def make_app(settings: ServiceSettings, store: Store, *, live: APIRouter | None = None) -> FastAPI:
    """The service as an ASGI application; it judges nothing itself, workers do.

    Args:
        settings: of the service.
        store: with current tables.
        live: routes of live calls, where this process judges any.
    """
    app = FastAPI(
        title="avdetect",
        version=version("avdetect"),
        summary="Tell whether a call, voice message, video or picture was forged.",
        docs_url=None,  # its page would load scripts from elsewhere; /openapi.json needs none
        redoc_url=None,
    )
    app.state.service = ServiceState(settings, store)
    for part in _PARTS:
        app.include_router(part.router)
    if live is not None:
        app.include_router(live)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _broken)
    app.add_middleware(_Watch)
    return app


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusedError)
    return JSONResponse(error.problem.model_dump(), error.status, headers=error.headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(word) for word in first["loc"][1:]) or str(first["loc"][0])
    return await _refused(request, refusals.wrong_value(f"{where}: {first['msg']}"))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    refusal = RefusedError(error.status_code, "http", str(error.detail))
    headers = {**refusal.headers, **(error.headers or {})}
    if error.status_code == 405 and (there := _methods(request.url.path)):
        headers["Allow"] = ", ".join(sorted(there))  # the framework names those of one route alone
    return JSONResponse(refusal.problem.model_dump(), error.status_code, headers=headers)


def _methods(path: str) -> set[str]:
    return {m for route in _ROUTES if route.path_regex.match(path) for m in route.methods or ()}


async def _broken(request: Request, error: Exception) -> JSONResponse:
    message = "the service failed: its log says where"
    return await _refused(request, RefusedError(500, "internal", message))


class _Watch:
    """Counts and logs requests by route, never by address: that may hold what nobody should see."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, time.monotonic()

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception:
            log("http.failed", level=40, error=True)
            raise
        finally:
            self._note(scope, status, time.monotonic() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        method = scope["method"] if route != "unknown" else "unknown"
        metrics.REQUESTS.labels(method, route, str(status)).inc()
        metrics.SECONDS.labels(method, route).observe(seconds)
        if route in _PROBES and status == 200:
            return  # asked every few seconds: they would bury the rest
        key_id = scope.get("state", {}).get("key_id")
        log("http", method=method, route=route, status=status, ms=round(1000 * seconds), key=key_id)
