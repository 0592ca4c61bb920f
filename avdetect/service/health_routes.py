"""Is it alive, is it ready, what does it count: for probes and Prometheus, without a key."""

from __future__ import annotations

import shutil

from fastapi import APIRouter, Response
from sqlalchemy import text

from avdetect.client.wire import Problem
from avdetect.service import metrics, refusals
from avdetect.service.scan_routes import of_text
from avdetect.service.settings import MEBIBYTE
from avdetect.service.state import State, answering

router = APIRouter(tags=["operations"])
_LEAST_FREE_BYTES = 64 * MEBIBYTE


@router.get("/healthz", summary="Is the process alive")
def healthz() -> dict[str, str]:
    """Always ok where anybody answers; a restart mends what does not answer."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"model": Problem}}, summary="Can it take scans")
def readyz(state: State) -> dict[str, str]:
    """Whether the database answers, its tables are current and there is disk space."""
    with answering(), state.store.reading() as session:
        session.execute(text("SELECT 1"))
        if not state.store.is_current():
            raise refusals.no_database()
    free = shutil.disk_usage(state.settings.media).free
    if free < _LEAST_FREE_BYTES:
        raise refusals.not_ready()
    return {"status": "ready"}


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: of_text("text/plain"), 503: {"model": Problem}},
    summary="Counters for Prometheus",
)
def show_metrics(state: State) -> Response:
    """Queue, judgements and requests, in Prometheus' text format."""
    with answering(), state.store.reading() as session:
        return Response(metrics.render(session), media_type=metrics.CONTENT_TYPE)
