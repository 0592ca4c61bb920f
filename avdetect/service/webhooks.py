"""Webhooks: a finished scan is told to its address, signed, again and again until it is heard.

Headers and signature follow the Standard Webhooks specification (standardwebhooks.com, version 1):
``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``, an HMAC-SHA256 over
``id.timestamp.body``. The body names the scan and its decision; the verdict itself is fetched with
a key, so that nothing of it goes to whoever answers at that address.
"""

from __future__ import annotations

import json
import threading
import time

import httpx
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from avdetect.client.signature import sign
from avdetect.service import audit
from avdetect.service.logs import log
from avdetect.service.settings import ServiceSettings
from avdetect.service.store import Store
from avdetect.service.tables import DeliveryRow, ScanRow

MOST_ATTEMPTS = 10
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 5.0, 3600.0
_ANSWER_S = 10.0
_LOOK_EVERY_S = 1.0


def deliver_until(store: Store, settings: ServiceSettings, stop: threading.Event) -> None:
    """Make the calls that are due until told to stop; needs a secret in the settings."""
    with httpx.Client(timeout=_ANSWER_S, follow_redirects=False) as client:
        while not stop.is_set():
            try:
                if deliver_one(store, settings, client):
                    continue
            except DBAPIError:
                log("database.away", level=30, error=True)
            stop.wait(_LOOK_EVERY_S)


def deliver_one(store: Store, settings: ServiceSettings, client: httpx.Client) -> bool:
    """Make one call that is due; False if none is."""
    with store.writing() as session:
        claimed = _claim(session, time.time())
    if claimed is None:
        return False
    delivery, scan = claimed
    status = _post(client, settings.webhook_secret or "", delivery, scan)
    heard = status is not None and 200 <= status < 300
    with store.writing() as session:
        if heard or delivery.attempts >= MOST_ATTEMPTS:
            row = session.get(DeliveryRow, delivery.id)
            if row is not None:
                session.delete(row)
                action = "webhook.heard" if heard else "webhook.unheard"
                facts = {"attempts": delivery.attempts, "status": status}
                audit.append(session, actor="service", action=action, subject=scan.id, facts=facts)
    log("webhook", scan=scan.id, status=status, attempt=delivery.attempts)
    return True


def _claim(session: Session, now: float) -> tuple[DeliveryRow, ScanRow] | None:
    due = select(DeliveryRow).where(DeliveryRow.ready_at <= now).order_by(DeliveryRow.ready_at)
    row = session.scalars(due.limit(1).with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return None
    # The next try is set before this one is made: if we die in between, it is still made.
    pause_s = min(_FIRST_PAUSE_S * 2**row.attempts, _LONGEST_PAUSE_S)
    later = {"attempts": row.attempts + 1, "ready_at": now + _ANSWER_S + pause_s}
    session.execute(update(DeliveryRow).where(DeliveryRow.id == row.id).values(**later))
    session.refresh(row)
    return row, session.scalars(select(ScanRow).where(ScanRow.id == row.scan_id)).one()


def _post(client: httpx.Client, secret: str, delivery: DeliveryRow, scan: ScanRow) -> int | None:
    facts = {"id": scan.id, "state": scan.state, "decision": scan.decision}
    body = json.dumps({"type": "scan.done", "data": facts}).encode()
    headers = {"content-type": "application/json", **sign(secret, delivery.id, body)}
    try:
        return client.post(str(scan.webhook), content=body, headers=headers).status_code
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
