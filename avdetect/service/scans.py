"""Scans as their owners see them: handed in once, looked at, listed, deleted."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session

from avdetect.client.wire import ScanPage, ScanResource, ScanState, ScanSummary
from avdetect.service import audit, jobs, refusals
from avdetect.service.keys import Caller
from avdetect.service.tables import ScanRow
from avdetect.service.uploads import Upload
from avdetect.types import Decision
from avdetect.verdict import Finite, Verdict

_RETRY_AFTER_S = 10


class ScanFilter(BaseModel):
    """Which scans to list."""

    state: ScanState | None = None
    decision: Decision | None = None
    created_after: Finite | None = Field(None, description="seconds since 1970")
    created_before: Finite | None = Field(None, description="seconds since 1970")


def n_waiting(session: Session) -> int:
    """Scans queued or running."""
    waiting = ScanRow.state != ScanState.DONE
    return session.scalar(select(func.count()).select_from(ScanRow).where(waiting)) or 0


def require_place(session: Session, max_queue: int) -> None:
    """Refuse while the queue is full, before anything is read."""
    if n_waiting(session) >= max_queue:
        raise refusals.queue_full(_RETRY_AFTER_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A clip handed in, with all that was asked."""

    upload: Upload
    options: dict[str, Any]
    webhook: str | None
    idempotency_key: str | None


def submit(
    session: Session, caller: Caller, given: Submission, max_queue: int
) -> tuple[ScanResource, bool]:
    """Put a scan into the queue, or find the one that this request made before.

    Returns:
        The scan, and whether it is new; if it is not, the upload is not needed.

    Raises:
        RefusedError: the queue is full, or the Idempotency-Key belongs to another request.
    """
    audit.lock(session)  # in line from here on, so that the queue's bound and the key hold exactly
    name = given.idempotency_key
    digest = None if name is None else hashlib.sha256(name.encode()).hexdigest()
    earlier = (
        digest
        and session.scalars(
            select(ScanRow).where(
                ScanRow.owner == caller.owner, ScanRow.idempotency_sha256 == digest
            )
        ).one_or_none()
    )
    if earlier:
        asked = (given.upload.sha256, given.options, given.webhook)
        if (earlier.media_sha256, earlier.options, earlier.webhook) != asked:
            raise refusals.key_reused()
        return resource(earlier), False
    require_place(session, max_queue)
    now = time.time()
    row = ScanRow(
        id=given.upload.scan_id,
        owner=caller.owner,
        key_id=caller.key_id,
        idempotency_sha256=digest,
        created_at=now,
        media_sha256=given.upload.sha256,
        media_bytes=given.upload.n_bytes,
        media_suffix=given.upload.suffix,
        options=given.options,
        webhook=given.webhook,
        state=ScanState.QUEUED,
        ready_at=now,
        attempts=0,
        media_kept=True,
    )
    session.add(row)
    facts = {"media_sha256": given.upload.sha256, "options": given.options}
    audit.append(session, actor=caller.key_id, action="scan.submit", subject=row.id, facts=facts)
    return resource(row), True


def find(session: Session, caller: Caller, scan_id: str) -> ScanRow:
    """The scan, if this caller may see it.

    Raises:
        RefusedError: otherwise; whether it exists is not told.
    """
    row = session.get(ScanRow, scan_id)
    if row is None or row.owner != caller.owner:
        raise refusals.no_such_scan()
    return row


def note_reading(session: Session, caller: Caller, row: ScanRow, action: str) -> None:
    """Tell the audit log that a verdict was handed out."""
    audit.append(session, actor=caller.key_id, action=action, subject=row.id)


def delete(session: Session, caller: Caller, scan_id: str) -> None:
    """Forget a scan, its verdict and what hangs on it; the audit log keeps that it was there."""
    row = find(session, caller, scan_id)
    audit.append(session, actor=caller.key_id, action="scan.delete", subject=row.id)
    jobs.forget(session, row.id)


def page(
    session: Session, caller: Caller, wanted: ScanFilter, limit: int, cursor: str | None
) -> ScanPage:
    """The owner's scans, newest first.

    Raises:
        RefusedError: the cursor is none of ours.
    """
    query = _filtered(select(ScanRow).where(ScanRow.owner == caller.owner), wanted)
    if cursor is not None:
        query = query.where(tuple_(ScanRow.created_at, ScanRow.id) < _position(cursor))
    query = query.order_by(ScanRow.created_at.desc(), ScanRow.id.desc()).limit(limit + 1)
    rows = session.scalars(query).all()
    more = len(rows) > limit
    return ScanPage(
        scans=tuple(_summary(row) for row in rows[:limit]),
        next=_cursor(rows[limit - 1]) if more else None,
    )


def _filtered(query: Select[ScanRow], wanted: ScanFilter) -> Select[ScanRow]:
    if wanted.state is not None:
        query = query.where(ScanRow.state == wanted.state)
    if wanted.decision is not None:
        query = query.where(ScanRow.decision == wanted.decision)
    if wanted.created_after is not None:
        query = query.where(ScanRow.created_at > wanted.created_after)
    if wanted.created_before is not None:
        query = query.where(ScanRow.created_at < wanted.created_before)
    return query


def resource(row: ScanRow) -> ScanResource:
    """A row as it goes over the wire."""
    verdict = None if row.verdict is None else Verdict.from_json(row.verdict)
    return ScanResource(**_shared(row), attempts=row.attempts, verdict=verdict)


def _summary(row: ScanRow) -> ScanSummary:
    return ScanSummary(**_shared(row))


def _shared(row: ScanRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "created_at": _moment(row.created_at),
        "finished_at": None if row.finished_at is None else _moment(row.finished_at),
        "media_sha256": row.media_sha256,
        "media_bytes": row.media_bytes,
        "decision": row.decision,
        "fake_llr": row.fake_llr,
    }


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _cursor(row: ScanRow) -> str:
    text = json.dumps([row.created_at, row.id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(cursor: str) -> tuple[float, str]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        created_at, scan_id = json.loads(base64.b64decode(padded, b"-_", validate=True))
        return float(created_at), str(scan_id)
    except (ValueError, TypeError) as error:
        raise refusals.wrong_value("the cursor is none that this service gave") from error
