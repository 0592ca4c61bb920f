"""API keys: random secrets of which only the hash is kept, with scopes, expiry and rotation.

A key reads ``avd_<id>_<secret>``. Its secret has 256 bits, so one SHA-256 is enough at rest: there
is nothing to guess, and a slow hash would only slow every request.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from avdetect.errors import UsageError
from avdetect.service import audit
from avdetect.service.tables import KeyRow

_DAY_S = 86_400.0
_HOUR_S = 3600.0
_KEY = re.compile(r"avd_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_NO_SUCH_KEY = hashlib.sha256(b"no such key").hexdigest()


class Scope(StrEnum):
    """What a key may do."""

    SUBMIT = "submit"  # hand in clips
    READ = "read"  # see scans, verdicts and reports of its owner
    DELETE = "delete"  # delete scans of its owner
    STREAM = "stream"  # open live calls
    ADMIN = "admin"  # change the model in use


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who makes a request: a valid key and its owner."""

    key_id: str
    owner: str
    scopes: frozenset[Scope]


def create_key(
    session: Session, *, owner: str, scopes: Iterable[Scope], expires_days: float | None = None
) -> str:
    """Make a key and return it; it cannot be shown again.

    Args:
        session: a writing transaction.
        owner: the system or desk it belongs to; all keys of an owner see the same scans.
        scopes: what it may do.
        expires_days: None for a key that lasts until it is revoked.

    Raises:
        UsageError: the owner's name or the expiry makes no sense.
    """
    if not _OWNER.fullmatch(owner):
        raise UsageError(f"owner {owner!r}: use up to 100 letters, digits, dots and dashes")
    if expires_days is not None and not expires_days > 0:
        raise UsageError("a key's days until it expires must be above 0")
    now, key_id, secret = time.time(), secrets.token_hex(6), secrets.token_urlsafe(32)
    names = sorted({Scope(scope) for scope in scopes})
    if not names:
        raise UsageError("a key needs at least one scope")
    session.add(
        KeyRow(
            id=key_id,
            owner=owner,
            secret_sha256=_hash(secret),
            scopes=" ".join(names),
            created_at=now,
            expires_at=None if expires_days is None else now + expires_days * _DAY_S,
        )
    )
    facts = {"owner": owner, "scopes": names, "expires_days": expires_days}
    audit.append(session, actor="operator", action="key.create", subject=key_id, facts=facts)
    return f"avd_{key_id}_{secret}"


def rotate_key(session: Session, key_id: str, *, overlap_hours: float) -> str:
    """Make a key like this one and let this one expire after the overlap; returns the new key.

    Raises:
        UsageError: no such key, or it is no longer valid.
    """
    row = _row(session, key_id)
    if not _is_valid(row, time.time()):
        raise UsageError(f"key {key_id} is revoked or expired: create a new one")
    if not overlap_hours >= 0:
        raise UsageError("the overlap must be 0 hours or more")
    days = None if row.expires_at is None else (row.expires_at - row.created_at) / _DAY_S
    scopes = [Scope(name) for name in row.scopes.split()]
    key = create_key(session, owner=row.owner, scopes=scopes, expires_days=days)
    ends_at = time.time() + overlap_hours * _HOUR_S
    row.expires_at = min(ends_at, row.expires_at or ends_at)
    facts = {"overlap_hours": overlap_hours, "successor": key.split("_")[1]}
    audit.append(session, actor="operator", action="key.rotate", subject=key_id, facts=facts)
    return key


def revoke_key(session: Session, key_id: str) -> None:
    """End a key at once; revoking twice is harmless.

    Raises:
        UsageError: no such key.
    """
    row = _row(session, key_id)
    if row.revoked_at is None:
        row.revoked_at = time.time()
        audit.append(session, actor="operator", action="key.revoke", subject=key_id)


def list_keys(session: Session) -> list[tuple[KeyRow, bool]]:
    """All keys, oldest first, each with whether it is valid now."""
    now = time.time()
    rows = session.scalars(select(KeyRow).order_by(KeyRow.created_at))
    return [(row, _is_valid(row, now)) for row in rows]


def authenticate(session: Session, key: str) -> Caller | None:
    """Whose key this is; None if it is wrong, expired or revoked, in the same time for all."""
    match = _KEY.fullmatch(key)
    key_id, secret = match.groups() if match else ("", "")
    row = session.get(KeyRow, key_id)
    known = row.secret_sha256 if row is not None else _NO_SUCH_KEY
    matches = hmac.compare_digest(_hash(secret), known)
    if row is None or not matches or not _is_valid(row, time.time()):
        return None
    scopes = frozenset(Scope(name) for name in row.scopes.split())
    return Caller(key_id=row.id, owner=row.owner, scopes=scopes)


def _row(session: Session, key_id: str) -> KeyRow:
    row = session.get(KeyRow, key_id)
    if row is None:
        raise UsageError(f"no key {key_id!r}: see avdetect keys list")
    return row


def _is_valid(row: KeyRow, now: float) -> bool:
    return row.revoked_at is None and (row.expires_at is None or now < row.expires_at)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
