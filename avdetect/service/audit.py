"""The append-only audit log: who asked what, which model answered what, chained by SHA-256.

The hash of an entry covers its own fields and the hash of the entry before, so that an entry
changed, taken out or put in later breaks the chain from there on. Entries cut off at the end are
told by comparing the head with one that was noted elsewhere. It names keys, scans, hashes and
decisions; never customers, file names or paths.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from avdetect.service.tables import AuditHeadRow, AuditRow, ScanRow

GENESIS = "0" * 64
JUDGED = "scan.judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """What a check of the log found.

    Attributes:
        n_entries: entries that hold, from the first on.
        head: hash of the last of them; note it elsewhere, to tell later that nothing was cut off.
        fault: what is wrong with the next one, None where all is well.
    """

    n_entries: int
    head: str
    fault: str | None = None


def lock(session: Session) -> AuditHeadRow:
    """Put this transaction in line with all others that write the log, until its end."""
    return session.scalars(select(AuditHeadRow).with_for_update()).one()


def append(
    session: Session, *, actor: str, action: str, subject: str, facts: dict[str, Any] | None = None
) -> None:
    """Add an entry in the caller's transaction: what it tells of happens with it or not at all.

    Args:
        session: a writing transaction.
        actor: id of the API key, or ``worker``, ``operator``, ``service``.
        action: such as ``scan.submit``.
        subject: id of what it was done to.
        facts: further facts, of JSON types.
    """
    head = lock(session)
    entry = AuditRow(
        seq=head.seq + 1,
        at=time.time(),
        actor=actor,
        action=action,
        subject=subject,
        facts=json.dumps(facts or {}, sort_keys=True, separators=(",", ":"), allow_nan=False),
    )
    entry.sha256 = entry_hash(entry, head.sha256)
    session.add(entry)
    head.seq, head.sha256 = entry.seq, entry.sha256


def entry_hash(entry: AuditRow, previous: str) -> str:
    """SHA-256 (hex) of an entry and of the hash before it."""
    fields = [entry.seq, repr(entry.at), entry.actor, entry.action, entry.subject, entry.facts]
    text = json.dumps([previous, *fields], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def verify(session: Session, *, expected_head: str | None = None) -> AuditFinding:
    """Read the whole log and check every link, and every stored verdict against its entry.

    Args:
        session: a reading transaction.
        expected_head: a head noted earlier; it must still be part of the chain.
    """
    previous, n_entries, seen = GENESIS, 0, expected_head in (None, GENESIS)
    for entry in session.scalars(select(AuditRow).order_by(AuditRow.seq)).yield_per(1000):
        fault = _fault(session, entry, n_entries + 1, previous)
        if fault:
            return AuditFinding(n_entries=n_entries, head=previous, fault=fault)
        previous, n_entries = entry.sha256, n_entries + 1
        seen = seen or previous == expected_head
    head = session.scalars(select(AuditHeadRow)).one()
    fault = None
    if (head.seq, head.sha256) != (n_entries, previous):
        fault = f"the log ends at entry {n_entries}, but {head.seq} were written"
    elif not seen:
        fault = "the head given is no longer part of the log: entries were cut off or rewritten"
    return AuditFinding(n_entries=n_entries, head=previous, fault=fault)


def _fault(session: Session, entry: AuditRow, seq: int, previous: str) -> str | None:
    if entry.seq != seq:
        return f"entry {seq} is missing"
    if entry.sha256 != entry_hash(entry, previous):
        return f"entry {seq} was changed, or the one before it"
    if entry.action == JUDGED:
        stored = session.scalar(select(ScanRow.verdict).where(ScanRow.id == entry.subject))
        if stored is not None and text_hash(stored) != json.loads(entry.facts)["verdict_sha256"]:
            return f"the stored verdict on {entry.subject} is not the one of entry {seq}"
    return None


def text_hash(text: str) -> str:
    """SHA-256 (hex) of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def entries(session: Session, subject: str | None = None) -> Iterator[AuditRow]:
    """Entries from the first on; of one scan or key if ``subject`` is given."""
    query = select(AuditRow).order_by(AuditRow.seq)
    if subject is not None:
        query = query.where(AuditRow.subject == subject)
    yield from session.scalars(query).yield_per(1000)


def to_json(entry: AuditRow) -> str:
    """An entry as one line of JSON."""
    names = ("seq", "at", "actor", "action", "subject", "sha256")
    fields = {name: getattr(entry, name) for name in names}
    return json.dumps({**fields, "facts": json.loads(entry.facts)})
