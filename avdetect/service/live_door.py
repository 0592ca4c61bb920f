"""Live calls in this service: who may open one, and what the audit log hears of their verdicts."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from avdetect.detector import Detector
from avdetect.service import audit
from avdetect.service.keys import Scope, authenticate
from avdetect.service.live import live_routes
from avdetect.service.live_calls import LiveCalls
from avdetect.service.store import Store
from avdetect.streaming.updates import LiveVerdict

_SUBJECT_LENGTH = 100


def live_router(detector: Detector, store: Store, max_calls: int) -> APIRouter:
    """The routes of live calls, judged in this process.

    Args:
        detector: what judges.
        store: of keys and the audit log.
        max_calls: calls on the line at once; further ones are turned away.
    """

    def owner_of(key: str | None) -> str | None:
        if key is None:
            return None
        with store.reading() as session:
            caller = authenticate(session, key)
        return caller.owner if caller is not None and Scope.STREAM in caller.scopes else None

    def note(owner: str, call_id: str, told: LiveVerdict) -> None:
        verdict = told.verdict
        facts = {
            "decision": verdict.decision.value,
            "fake_llr": verdict.fake_llr,
            "models": {model.id: model.sha256 for model in verdict.models},
            "track": told.track,
        }
        with store.writing() as session:
            subject = call_id[:_SUBJECT_LENGTH]
            audit.append(session, actor=owner, action="call.judged", subject=subject, facts=facts)

    async def admit(key: str | None) -> str | None:
        return await run_in_threadpool(owner_of, key)

    async def on_verdict(owner: str, call_id: str, told: LiveVerdict) -> None:
        await run_in_threadpool(note, owner, call_id, told)

    return live_routes(LiveCalls(detector, max_calls=max_calls, on_verdict=on_verdict), admit)
