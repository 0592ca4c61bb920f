"""Jobs: one holder at a time, one answer for ever, whatever dies in between."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from avdetect.service import audit, jobs
from avdetect.service.tables import DeliveryRow, ScanRow
from tests.service.conftest import known_verdict


def claim(store, n_most=10, lease_s=60.0):
    with store.writing() as session:
        return jobs.claim(session, n_most, lease_s=lease_s)


def finish(store, job, fake_llr=2.0):
    with store.writing() as session:
        return jobs.finish(session, job, known_verdict(fake_llr))


def row(store, scan_id):
    with store.reading() as session:
        return session.get(ScanRow, scan_id)


def test_jobs_are_taken_in_order_and_once(store, put):
    ids = [put() for _ in range(3)]
    assert [job.scan_id for job in claim(store, 2)] == ids[:2]
    assert [job.scan_id for job in claim(store, 2)] == ids[2:]
    assert claim(store) == []


def test_many_workers_at_once_never_take_the_same_job(store, put):
    ids = {put() for _ in range(12)}
    with ThreadPoolExecutor(4) as pool:
        taken = [
            job.scan_id for found in pool.map(lambda _: claim(store, 1), range(20)) for job in found
        ]
    assert sorted(taken) == sorted(ids)


def test_job_of_a_dead_worker_is_taken_again(store, put):
    scan_id = put()
    claim(store, lease_s=-1.0)
    (again,) = claim(store)
    assert (again.scan_id, again.attempt) == (scan_id, 2)


def test_renewed_lease_keeps_the_job(store, put):
    put()
    (job,) = claim(store, lease_s=-1.0)
    with store.writing() as session:
        assert jobs.renew(session, [job]) == {job.scan_id}
    assert claim(store) == []


def test_late_answer_of_a_worker_thought_dead_is_refused(store, put):
    scan_id = put()
    (late,) = claim(store, lease_s=-1.0)
    (heir,) = claim(store)
    assert not finish(store, late, fake_llr=-9.0)
    assert finish(store, heir, fake_llr=2.0)
    assert not finish(store, late, fake_llr=-9.0)
    assert row(store, scan_id).fake_llr == 2.0


def test_answer_is_written_once_even_by_its_holder(store, put):
    scan_id = put()
    (job,) = claim(store)
    assert finish(store, job, fake_llr=2.0)
    assert not finish(store, job, fake_llr=-2.0)
    assert row(store, scan_id).fake_llr == 2.0
    assert claim(store, lease_s=-1.0) == []


def test_given_back_on_shutdown_does_not_count(store, put):
    put()
    (job,) = claim(store)
    with store.writing() as session:
        jobs.give_back(session, job, failed=False)
    (again,) = claim(store)
    assert again.attempt == 1


def test_failed_attempt_waits_before_the_next(store, put):
    scan_id = put()
    (job,) = claim(store)
    with store.writing() as session:
        jobs.give_back(session, job, failed=True)
    assert claim(store) == []
    assert row(store, scan_id).attempts == 1


def test_scan_that_kills_every_worker_is_answered_with_why(store, put):
    scan_id = put()
    for _ in range(jobs.MOST_ATTEMPTS):
        assert len(claim(store, lease_s=-1.0)) == 1
    assert claim(store) == []
    verdict = json.loads(row(store, scan_id).verdict)
    assert (verdict["decision"], verdict["error"]["code"]) == ("inconclusive", "gave_up")


def test_deleted_scan_cannot_be_finished(store, put):
    scan_id = put()
    (job,) = claim(store)
    with store.writing() as session:
        jobs.forget(session, scan_id)
    assert not finish(store, job)
    assert row(store, scan_id) is None


@pytest.mark.parametrize(("webhook", "n_calls"), [(None, 0), ("https://host/path", 1)])
def test_webhook_is_due_with_the_answer(store, put, webhook, n_calls):
    put(webhook=webhook)
    (job,) = claim(store)
    finish(store, job)
    with store.reading() as session:
        assert session.query(DeliveryRow).count() == n_calls


def test_answer_and_audit_entry_come_together(store, put):
    scan_id = put()
    (job,) = claim(store)
    finish(store, job)
    with store.reading() as session:
        *_, last = audit.entries(session, scan_id)
        assert audit.verify(session).fault is None
    facts = json.loads(last.facts)
    assert (last.action, facts["decision"], facts["models"]) == (
        "scan.judged",
        "fake",
        {"known": "cd" * 32},
    )
