"""What must not stay: media after its judgement, scans past their time, files nobody knows."""

from __future__ import annotations

import re
import threading
import time

from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from avdetect.client.wire import ScanState
from avdetect.service import audit, jobs
from avdetect.service.logs import log
from avdetect.service.settings import ServiceSettings
from avdetect.service.store import Store
from avdetect.service.tables import ScanRow
from avdetect.service.uploads import PART_SUFFIX

_EVERY_S = 30.0
_ORPHAN_S = 3600.0  # a file without a scan may be an upload whose row is being written
_HOUR_S, _DAY_S = 3600.0, 86_400.0
_AT_ONCE = 500
_SCAN_ID = re.compile(r"[0-9a-f]{32}")


def drop_media(store: Store, settings: ServiceSettings, scan_id: str) -> None:
    """Delete a judged scan's clip and note that it is gone."""
    settings.media_path(scan_id).unlink(missing_ok=True)
    with store.writing() as session:
        session.execute(update(ScanRow).where(ScanRow.id == scan_id).values(media_kept=False))


def keep_house(store: Store, settings: ServiceSettings, stop: threading.Event) -> None:
    """Tidy up again and again until told to stop; a database that is away is waited for."""
    while not stop.wait(_EVERY_S):
        try:
            tidy(store, settings)
        except (DBAPIError, OSError):
            log("housekeeping.failed", level=30, error=True)


def tidy(store: Store, settings: ServiceSettings, now: float | None = None) -> None:
    """Delete everything whose time is over.

    Args:
        store: of the service.
        settings: how long things are kept.
        now: seconds since 1970; the clock's unless given.
    """
    now = time.time() if now is None else now
    _drop_old_media(store, settings, now)
    _expire_scans(store, settings, now)
    _drop_strangers(store, settings, now)


def _drop_old_media(store: Store, settings: ServiceSettings, now: float) -> None:
    old = select(ScanRow.id).where(
        ScanRow.media_kept,
        ScanRow.state == ScanState.DONE,
        ScanRow.finished_at <= now - settings.keep_media_h * _HOUR_S,
    )
    with store.reading() as session:
        found = session.scalars(old.limit(_AT_ONCE)).all()
    for scan_id in found:
        drop_media(store, settings, scan_id)


def _expire_scans(store: Store, settings: ServiceSettings, now: float) -> None:
    old = select(ScanRow.id).where(
        ScanRow.state == ScanState.DONE,
        ScanRow.finished_at <= now - settings.keep_results_d * _DAY_S,
    )
    with store.reading() as session:
        found = session.scalars(old.limit(_AT_ONCE)).all()
    for scan_id in found:
        settings.media_path(scan_id).unlink(missing_ok=True)
        with store.writing() as session:
            audit.append(session, actor="service", action="scan.expire", subject=scan_id)
            jobs.forget(session, scan_id)


def _drop_strangers(store: Store, settings: ServiceSettings, now: float) -> None:
    for path in settings.media.iterdir():
        scan_id = path.name.removesuffix(PART_SUFFIX)
        if not _SCAN_ID.fullmatch(scan_id) or path.stat().st_mtime > now - _ORPHAN_S:
            continue  # not ours, or too young to tell
        with store.reading() as session:
            known = session.get(ScanRow, scan_id) is not None
        if path.name.endswith(PART_SUFFIX) or not known:
            path.unlink(missing_ok=True)
