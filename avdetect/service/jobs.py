"""Jobs are rows: claimed under a lease, renewed, given back, and finished exactly once.

A claim writes a fresh token into the row. Whoever finishes must still hold that token, so a worker
that was thought dead and comes back with an answer finds it refused: a scan never gets two answers.
Clocks of several machines may differ by seconds; a lease lost too early costs work, nothing else.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from avdetect.client.wire import ScanState
from avdetect.options import ScanOptions
from avdetect.service import audit
from avdetect.service.tables import DeliveryRow, ScanRow
from avdetect.types import Decision
from avdetect.verdict import Failure, Input, Verdict

LEASE_S = 30.0
MOST_ATTEMPTS = 5
_PAUSE_S = 2.0  # before the second attempt; twice as long before every further one


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A scan that this worker holds.

    Attributes:
        scan_id: also the name under which its media lies.
        lease: the token that proves the hold.
        attempt: 1 for the first.
        options: how to judge.
    """

    scan_id: str
    lease: str
    attempt: int
    options: ScanOptions


def claim(session: Session, n_most: int, *, lease_s: float = LEASE_S) -> list[Job]:
    """Take up to ``n_most`` jobs: new ones, and those whose worker let its lease run out.

    Args:
        session: a writing transaction.
        n_most: jobs wanted.
        lease_s: how long they are ours unless `renew`ed.
    """
    now = time.time()
    give_up_on_spent(session, now)
    ready = (
        select(ScanRow.id)
        .where(_is_ready(now), ScanRow.attempts < MOST_ATTEMPTS)
        .order_by(ScanRow.created_at)
        .limit(n_most)
        .with_for_update(skip_locked=True)
    )
    jobs = []
    for scan_id in session.scalars(ready).all():
        lease = secrets.token_hex(16)
        row = session.execute(
            update(ScanRow)
            .where(ScanRow.id == scan_id)
            .values(
                state=ScanState.RUNNING,
                lease=lease,
                ready_at=now + lease_s,
                attempts=ScanRow.attempts + 1,
            )
            .returning(ScanRow.attempts, ScanRow.media_suffix, ScanRow.options)
        ).one()
        job = Job(
            scan_id=scan_id,
            lease=lease,
            attempt=row.attempts,
            options=ScanOptions(**row.options, name=_name(scan_id, row.media_suffix)),
        )
        jobs.append(job)
    return jobs


def _name(scan_id: str, suffix: str) -> str:
    """What a verdict calls its input; some headerless kinds are known by their suffix alone."""
    return f"{scan_id}.{suffix}" if suffix else scan_id


def renew(session: Session, jobs: Sequence[Job], *, lease_s: float = LEASE_S) -> set[str]:
    """Hold the jobs for longer; returns the ids of those that are still ours."""
    if not jobs:
        return set()
    held = [and_(ScanRow.id == job.scan_id, _is_held(job)) for job in jobs]
    kept = update(ScanRow).where(or_(*held)).values(ready_at=time.time() + lease_s)
    return set(session.scalars(kept.returning(ScanRow.id)))


def give_back(session: Session, job: Job, *, failed: bool) -> None:
    """Let another worker have a job that was not finished.

    Args:
        session: a writing transaction.
        job: the job; nothing happens if it is no longer ours.
        failed: whether the attempt counts and the next one has to wait; False on shutdown.
    """
    pause_s = _PAUSE_S * 2 ** (job.attempt - 1) if failed else 0.0
    session.execute(
        update(ScanRow)
        .where(ScanRow.id == job.scan_id, _is_held(job))
        .values(
            state=ScanState.QUEUED,
            lease=None,
            ready_at=time.time() + pause_s,
            attempts=job.attempt if failed else job.attempt - 1,
        )
    )


def finish(session: Session, job: Job, verdict: Verdict) -> bool:
    """Write the one answer of a scan; False, and nothing written, if the job is no longer ours."""
    return _settle(session, verdict, and_(ScanRow.id == job.scan_id, _is_held(job)), actor="worker")


def give_up_on_spent(session: Session, now: float) -> None:
    """Answer the scans whose attempts are used up: every worker that took them up died of them."""
    spent = select(ScanRow).where(_is_ready(now), ScanRow.attempts >= MOST_ATTEMPTS)
    for row in session.scalars(spent.with_for_update(skip_locked=True)).all():
        message = f"{row.id}: could not be judged in {row.attempts} attempts"
        verdict = Verdict(
            input=Input(path=row.id, sha256=row.media_sha256),
            decision=Decision.INCONCLUSIVE,
            reason=message,
            prior_fake=row.options.get("prior_fake", 0.5),
            error=Failure(code="gave_up", message=message),
        )
        _settle(session, verdict, ScanRow.id == row.id, actor="service")


def _settle(session: Session, verdict: Verdict, whose: ColumnElement[bool], *, actor: str) -> bool:
    text = verdict.to_json()
    settled = session.execute(
        update(ScanRow)
        .where(whose, ScanRow.state != ScanState.DONE)
        .values(
            state=ScanState.DONE,
            lease=None,
            finished_at=time.time(),
            decision=verdict.decision.value,
            fake_llr=verdict.fake_llr,
            verdict=text,
        )
        .returning(ScanRow.id, ScanRow.media_sha256, ScanRow.webhook)
    ).one_or_none()
    if settled is None:
        return False
    if settled.webhook is not None:
        session.add(
            DeliveryRow(
                id=secrets.token_hex(16), scan_id=settled.id, ready_at=time.time(), attempts=0
            )
        )
    facts = {
        "decision": verdict.decision.value,
        "error": verdict.error.code if verdict.error else None,
        "fake_llr": verdict.fake_llr,
        "media_sha256": settled.media_sha256,
        "models": {model.id: model.sha256 for model in verdict.models},
        "verdict_sha256": audit.text_hash(text),
    }
    audit.append(session, actor=actor, action=audit.JUDGED, subject=settled.id, facts=facts)
    return True


def _is_ready(now: float) -> ColumnElement[bool]:
    waiting = (ScanState.QUEUED, ScanState.RUNNING)  # a running one is ready when its lease is out
    return and_(ScanRow.state.in_(waiting), ScanRow.ready_at <= now)


def _is_held(job: Job) -> ColumnElement[bool]:
    return and_(ScanRow.state == ScanState.RUNNING, ScanRow.lease == job.lease)


def forget(session: Session, scan_id: str) -> None:
    """Delete a scan and what is still to be delivered of it; a worker on it cannot finish."""
    session.execute(delete(DeliveryRow).where(DeliveryRow.scan_id == scan_id))
    session.execute(delete(ScanRow).where(ScanRow.id == scan_id))
