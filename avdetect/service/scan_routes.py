"""``/v1/scans``: hand in a clip, wait for its verdict, read the report, list, delete."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from avdetect.client.wire import Problem, ScanPage, ScanResource, ScanState
from avdetect.cues import choose_cues
from avdetect.errors import UsageError
from avdetect.options import ScanOptions
from avdetect.service import refusals, scans, uploads
from avdetect.service.keys import Caller
from avdetect.service.scans import ScanFilter, Submission
from avdetect.service.state import Deleter, Reader, ServiceState, State, Submitter, answering

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": _BINARY,
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["media"],
                    "properties": {"media": _BINARY["schema"]},
                }
            },
        },
    }
}
_MOST_WAIT_S = 60.0
_LOOK_EVERY_S = 0.25

ScanId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="id of the scan")]


class SubmitQuery(BaseModel):
    """How to judge a clip."""

    model_config = ConfigDict(extra="forbid")

    channel: str = Field("all", max_length=8, description="all, left, right, or a number from 0")
    prior_fake: float = Field(0.5, gt=0, lt=1, description="before anybody looked")
    format: Literal["ulaw", "alaw", "s16le"] | None = Field(
        None, description="of sound without a header, with `rate`"
    )
    rate: int | None = Field(None, gt=0, le=1_536_000, description="samples a second")
    cues: str = Field(
        "default", max_length=400, description="default, all, none, or names with commas"
    )
    suffix: str = Field(
        "", pattern=r"^[a-z0-9]{0,8}$", description="of the file's name, for a raw body"
    )
    webhook: str | None = Field(None, max_length=1000, description="called when it is done")


class ListQuery(ScanFilter):
    """Which scans to list, and how many at once."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200, description="`next` of the page before")


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route, for its documentation; every route may answer 401, 403 and 503."""
    return {status: {"model": Problem} for status in (401, 403, 503, *statuses)}


def of_text(media_type: str) -> dict[str, Any]:
    """A text of some kind as an answer, for the documentation."""
    return {"content": {media_type: {"schema": {"type": "string"}}}}


router = APIRouter(prefix="/v1/scans", tags=["scans"])


@router.post(
    "",
    status_code=202,
    response_model=ScanResource,
    responses={
        200: {"model": ScanResource, "description": "This request was made before: its scan."},
        **problems(400, 408, 413, 415, 422, 429, 507),
    },
    openapi_extra=_BODY,
    summary="Hand in a clip",
)
async def submit_scan(
    request: Request,
    response: Response,
    state: State,
    caller: Submitter,
    asked: Annotated[SubmitQuery, Query()],
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=200, description="the same key never makes two scans"),
    ] = None,
) -> ScanResource:
    """Store the clip and put it into the queue; the body is the clip, or a form with one file."""
    options = _options(asked)
    _check_webhook(asked.webhook, state)
    await run_in_threadpool(_require_place, state)
    upload = await uploads.receive(request, state.settings)
    given = Submission(
        upload=upload, options=options, webhook=asked.webhook, idempotency_key=idempotency_key
    )
    scan, is_new = await run_in_threadpool(_submit, state, caller, given)
    response.status_code = 202 if is_new else 200
    response.headers["Location"] = f"/v1/scans/{scan.id}"
    return scan


def _options(asked: SubmitQuery) -> dict[str, Any]:
    given = asked.model_dump(exclude={"suffix", "webhook"}, exclude_none=True)
    try:
        choose_cues(ScanOptions(**given).cues)
    except UsageError as error:
        raise refusals.wrong_value(str(error)) from error
    return given


def _check_webhook(webhook: str | None, state: ServiceState) -> None:
    if webhook is not None and not webhook.startswith(state.settings.webhook_prefixes):
        raise refusals.wrong_value("this service may not call that webhook address")


def _require_place(state: ServiceState) -> None:
    with answering(), state.store.reading() as session:
        scans.require_place(session, state.settings.max_queue)


def _submit(state: ServiceState, caller: Caller, given: Submission) -> tuple[ScanResource, bool]:
    is_new = False
    try:
        with answering(), state.store.writing() as session:
            scan, is_new = scans.submit(session, caller, given, state.settings.max_queue)
        return scan, is_new
    finally:
        if not is_new:
            state.settings.media_path(given.upload.scan_id).unlink(missing_ok=True)


@router.get(
    "/{scan_id}",
    response_model=ScanResource,
    responses=problems(404, 422),
    summary="See a scan, or wait for it",
)
async def get_scan(
    state: State,
    caller: Reader,
    scan_id: ScanId,
    wait: Annotated[float, Query(ge=0, le=_MOST_WAIT_S, description="seconds to wait")] = 0.0,
) -> ScanResource:
    """The scan as it stands; with ``wait``, as soon as it is done or the time is up."""
    ends_at = time.monotonic() + wait
    while True:
        scan = await run_in_threadpool(_look, state, caller, scan_id)
        left_s = ends_at - time.monotonic()
        if scan.state is ScanState.DONE or left_s <= 0:
            return scan
        await asyncio.sleep(min(_LOOK_EVERY_S, left_s))


def _look(state: ServiceState, caller: Caller, scan_id: str) -> ScanResource:
    with answering(), state.store.reading() as session:
        row = scans.find(session, caller, scan_id)
        scan = scans.resource(row)
    if scan.state is ScanState.DONE:
        with answering(), state.store.writing() as session:
            scans.note_reading(session, caller, row, "scan.read")
    return scan


@router.get(
    "/{scan_id}/report",
    response_class=Response,
    responses={200: of_text("text/html"), **problems(404, 409, 422)},
    summary="The verdict as a page",
)
def get_report(state: State, caller: Reader, scan_id: ScanId) -> HTMLResponse:
    """The verdict in words with its timeline, as one self-contained page without the media."""
    from avdetect.report.html import render_page

    with answering(), state.store.reading() as session:
        row = scans.find(session, caller, scan_id)
        scan = scans.resource(row)
    if scan.verdict is None:
        raise refusals.not_done()
    with answering(), state.store.writing() as session:
        scans.note_reading(session, caller, row, "scan.report")
    page = render_page(scan.verdict, media=False, written_at=scan.finished_at)
    return HTMLResponse(page)


@router.delete(
    "/{scan_id}", status_code=204, responses=problems(404, 422, 507), summary="Delete a scan"
)
def delete_scan(state: State, caller: Deleter, scan_id: ScanId) -> Response:
    """Forget the scan, its clip and its verdict; a worker that judges it is not listened to."""
    with answering(), state.store.writing() as session:
        scans.delete(session, caller, scan_id)
    state.settings.media_path(scan_id).unlink(missing_ok=True)
    return Response(status_code=204)


@router.get("", response_model=ScanPage, responses=problems(422), summary="List scans")
def list_scans(
    state: State,
    caller: Reader,
    asked: Annotated[ListQuery, Query()],
) -> ScanPage:
    """The scans of this key's owner, newest first; ``next`` is the ``cursor`` of the next page."""
    with answering(), state.store.reading() as session:
        return scans.page(session, caller, asked, asked.limit, asked.cursor)
