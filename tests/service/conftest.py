"""A service in its parts: a store on either database, settings, keys, known verdicts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from avdetect.service.keys import Caller, Scope, authenticate, create_key
from avdetect.service.scans import Submission, submit
from avdetect.service.settings import ServiceSettings
from avdetect.service.store import Store
from avdetect.service.uploads import Upload
from avdetect.types import Decision
from avdetect.verdict import Input, Model, Verdict
from eval.postgres import PostgresServer, why_not


def known_verdict(fake_llr: float = 2.0) -> Verdict:
    return Verdict(
        input=Input(path="x", sha256="ab" * 32),
        decision=Decision.FAKE if fake_llr > 0 else Decision.REAL,
        reason="known",
        fake_llr=fake_llr,
        fake_probability=0.5,
        prior_fake=0.5,
        models=(Model(id="known", sha256="cd" * 32),),
    )


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    server = PostgresServer(tmp_path_factory.mktemp("postgres") / "cluster")
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def db_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'service.db'}"
    url = request.getfixturevalue("postgres").url
    empty = Store(url)
    with empty.writing() as session:
        session.execute(text("DROP SCHEMA public CASCADE"))
        session.execute(text("CREATE SCHEMA public"))
    empty.close()
    return url


@pytest.fixture
def settings(tmp_path: Path, db_url: str) -> ServiceSettings:
    made = ServiceSettings(folder=tmp_path / "service", db=db_url, max_queue=3)
    made.media.mkdir(parents=True)
    return made


@pytest.fixture
def store(db_url: str) -> Iterator[Store]:
    made = Store(db_url)
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def caller(store: Store) -> Caller:
    with store.writing() as session:
        key = create_key(session, owner="desk", scopes=list(Scope))
    with store.reading() as session:
        found = authenticate(session, key)
    assert found is not None
    return found


@pytest.fixture
def put(store: Store, caller: Caller) -> Callable[..., str]:
    """Hand in a clip that exists in the database alone; gives the scan's id."""
    numbers = itertools.count(1)

    def put_one(**changed: object) -> str:
        n = next(numbers)
        upload = Upload(scan_id=f"{n:032x}", sha256=f"{n:064x}", n_bytes=n, suffix="wav")
        facts = {"options": {}, "webhook": None, "idempotency_key": None} | changed
        given = Submission(upload=upload, **facts)
        with store.writing() as session:
            return submit(session, caller, given, max_queue=1000)[0].id

    return put_one
