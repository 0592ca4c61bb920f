"""The audit log: any entry changed, taken out or cut off is found."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from avdetect.service import audit, jobs
from tests.service.conftest import known_verdict


def write(store, n_entries):
    for n in range(n_entries):
        with store.writing() as session:
            audit.append(session, actor="test", action="did", subject=str(n), facts={"n": n})


def check(store, **options):
    with store.reading() as session:
        return audit.verify(session, **options)


def tamper(store, statement):
    with store.writing() as session:
        session.execute(text(statement))


def test_whole_log_verifies(store):
    write(store, 5)
    finding = check(store)
    assert (finding.n_entries, finding.fault) == (5, None)


def test_empty_log_verifies(store):
    assert check(store).head == audit.GENESIS


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'other' WHERE seq = 3",
        "UPDATE audit_log SET facts = '{}' WHERE seq = 3",
        "UPDATE audit_log SET at = at + 1 WHERE seq = 3",
        "DELETE FROM audit_log WHERE seq = 3",
    ],
)
def test_entry_changed_or_taken_out_is_named(store, statement):
    write(store, 5)
    tamper(store, statement)
    finding = check(store)
    assert finding.n_entries == 2
    assert "3" in finding.fault


def test_entry_cut_off_at_the_end_is_found(store):
    write(store, 5)
    tamper(store, "DELETE FROM audit_log WHERE seq = 5")
    assert check(store).fault is not None


def test_end_cut_off_with_its_head_is_found_by_a_head_noted_earlier(store):
    write(store, 5)
    noted = check(store).head
    tamper(store, "DELETE FROM audit_log WHERE seq = 5")
    tamper(
        store,
        "UPDATE audit_head SET seq = 4, sha256 = (SELECT sha256 FROM audit_log WHERE seq = 4)",
    )
    assert check(store).fault is None
    assert "head given" in check(store, expected_head=noted).fault
    assert check(store, expected_head=check(store).head).fault is None


def test_verdict_changed_in_its_table_is_found(store, put):
    put()
    with store.writing() as session:
        (job,) = jobs.claim(session, 1)
        jobs.finish(session, job, known_verdict())
    assert check(store).fault is None
    tamper(store, "UPDATE scans SET verdict = replace(verdict, 'fake', 'real')")
    assert "stored verdict" in check(store).fault


def test_rolled_back_transaction_leaves_no_entry(store):
    with pytest.raises(RuntimeError), store.writing() as session:
        audit.append(session, actor="test", action="did", subject="1")
        raise RuntimeError
    assert check(store).n_entries == 0
