"""What Prometheus reads: counts of requests here, everything about scans from the database.

Workers are other processes, perhaps on other machines; the database is where all of them meet, so
the counts are true whoever is asked, and after every restart.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from avdetect.client.wire import ScanState
from avdetect.service import audit
from avdetect.service.tables import AuditRow, DeliveryRow, ScanRow

CONTENT_TYPE = CONTENT_TYPE_LATEST
_REQUESTS = CollectorRegistry()
REQUESTS = Counter(
    "avdetect_http_requests", "Requests answered", ["method", "route", "status"], registry=_REQUESTS
)
SECONDS = Histogram(
    "avdetect_http_request_seconds",
    "Time to answer, uploads and waiting included",
    ["method", "route"],
    registry=_REQUESTS,
)


def render(session: Session) -> bytes:
    """All metrics in Prometheus' text format."""
    scans = CollectorRegistry()
    scans.register(_Scans(session))
    return generate_latest(_REQUESTS) + generate_latest(scans)


class _Scans:
    """Reads the database when it is asked, once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def collect(self) -> Iterator[Metric]:
        """The metrics of scans."""
        by_state = dict.fromkeys(ScanState, 0)
        counted = select(ScanRow.state, func.count()).group_by(ScanRow.state)
        by_state |= {ScanState(state): n for state, n in self._session.execute(counted)}
        states = GaugeMetricFamily("avdetect_scans", "Scans kept, by state", labels=["state"])
        for state, n in by_state.items():
            states.add_metric([state.value], n)
        yield states
        age = "Age of the oldest scan without a verdict"
        yield GaugeMetricFamily("avdetect_oldest_waiting_seconds", age, self._age())
        judged = select(func.count()).select_from(AuditRow).where(AuditRow.action == audit.JUDGED)
        yield CounterMetricFamily(
            "avdetect_scans_judged", "Scans judged since the first", self._count(judged)
        )
        yield GaugeMetricFamily(
            "avdetect_webhooks_waiting",
            "Webhook calls still to be made",
            self._count(select(func.count()).select_from(DeliveryRow)),
        )

    def _age(self) -> float:
        oldest = select(func.min(ScanRow.created_at)).where(ScanRow.state != ScanState.DONE)
        created_at = self._session.scalar(oldest)
        return 0.0 if created_at is None else max(0.0, time.time() - created_at)

    def _count(self, query: object) -> int:
        return int(self._session.scalar(query) or 0)  # type: ignore[call-overload]
