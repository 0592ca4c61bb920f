"""API keys: only hashes at rest, scopes, expiry, rotation with an overlap, revocation."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from avdetect.errors import UsageError
from avdetect.service import keys
from avdetect.service.keys import Scope


def create(store, **options):
    with store.writing() as session:
        return keys.create_key(session, owner="desk", scopes=[Scope.READ], **options)


def who(store, key):
    with store.reading() as session:
        return keys.authenticate(session, key)


def test_key_opens_with_its_owner_and_scopes(store):
    caller = who(store, create(store))
    assert (caller.owner, caller.scopes) == ("desk", {Scope.READ})


def test_secret_is_not_in_the_database(store):
    secret = create(store).split("_", 2)[2]
    with store.reading() as session:
        rows = session.execute(text("SELECT * FROM api_keys")).all()
        log = session.execute(text("SELECT * FROM audit_log")).all()
    assert secret not in str(rows) + str(log)


@pytest.mark.parametrize(
    "change",
    [
        lambda k: k[:-1] + ("a" if k[-1] != "a" else "b"),
        str.upper,
        lambda k: k + "x",
        lambda k: "",
        lambda k: "avd_0_0",
    ],
)
def test_wrong_key_opens_nothing(store, change):
    assert who(store, change(create(store))) is None


def test_revoked_key_opens_nothing(store):
    key = create(store)
    with store.writing() as session:
        keys.revoke_key(session, key.split("_")[1])
    assert who(store, key) is None


def test_expired_key_opens_nothing(store):
    key = create(store, expires_days=1.0)
    with store.writing() as session:
        session.execute(text("UPDATE api_keys SET expires_at = 1"))
    assert who(store, key) is None


def test_rotation_overlaps_and_ends(store):
    old = create(store)
    with store.writing() as session:
        new = keys.rotate_key(session, old.split("_")[1], overlap_hours=1.0)
    assert who(store, old).owner == who(store, new).owner == "desk"
    with store.writing() as session:
        session.execute(text("UPDATE api_keys SET expires_at = expires_at - 3600"))
    assert who(store, old) is None
    assert who(store, new) is not None


@pytest.mark.parametrize("owner", ["", "a b", "../x", "a\nb", "x" * 101])
def test_odd_owner_is_refused(store, owner):
    with pytest.raises(UsageError), store.writing() as session:
        keys.create_key(session, owner=owner, scopes=[Scope.READ])
