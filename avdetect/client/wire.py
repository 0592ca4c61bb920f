"""What goes over the wire between the service and its clients, typed once for both."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from avdetect.types import Decision
from avdetect.verdict import Failure, Finite, Model, Verdict


class ScanState(StrEnum):
    """Where a scan stands; a scan that is done never changes again."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True)


class ScanSummary(_Wire):
    """One scan as a list shows it."""

    id: str
    state: ScanState
    created_at: datetime
    finished_at: datetime | None = None
    media_sha256: str
    media_bytes: int
    decision: Decision | None = Field(None, description="null until the scan is done")
    fake_llr: Finite | None = Field(None, description="calibrated, > 0 favours fake")


class ScanResource(ScanSummary):
    """One scan with its verdict, once there is one."""

    attempts: int = Field(0, description="how often a worker has taken it up")
    verdict: Verdict | None = Field(
        None, description="null until the scan is done; an input that cannot be judged has `error`"
    )


class ScanPage(_Wire):
    """A stretch of the list, newest first."""

    scans: tuple[ScanSummary, ...]
    next: str | None = Field(None, description="cursor of the next page; null on the last one")


class ModelInUse(_Wire):
    """The bundle that workers judge with."""

    name: str
    models: tuple[Model, ...]


class ModelChoice(_Wire):
    """The bundle that workers are asked to load."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")


class Problem(_Wire):
    """The body of every refusal."""

    error: Failure
