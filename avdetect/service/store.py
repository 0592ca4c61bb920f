"""The database: SQLite in a file by default, PostgreSQL by URL; the same statements on both.

Why rows of our own and no queue library: the kept ones are built on one server each (Procrastinate,
PGMQ and pgqueuer on PostgreSQL alone; Huey and persist-queue on SQLite without a transaction shared
with our tables; arq, RQ, Celery on a broker). A job here must appear in the same transaction as its
scan and its audit entry, on either store. One conditional UPDATE does that: ``FOR UPDATE SKIP
LOCKED`` keeps workers apart on PostgreSQL, the single writer of SQLite does there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session

from avdetect.errors import ServiceError, UsageError

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_S = 30
_READING = "avdetect_reading"


class Store:
    """Transactions on the service's database; may be shared by threads, not by processes."""

    def __init__(self, url: str) -> None:
        """Prepare connections; nothing is opened yet.

        Raises:
            UsageError: the URL names no store we speak.
        """
        self._engine = _engine(url)

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only looks; on SQLite it waits for no writer."""
        with Session(self._engine.execution_options(**{_READING: True})) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is committed at the end of the block, or rolled back on an error."""
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    def migrate(self) -> None:
        """Bring the tables to this version's form; safe to call from several processes at once.

        Raises:
            ServiceError: the database cannot be reached, or is of a newer version.
        """
        with reachable(), self._engine.connect() as connection, connection.begin():
            if self._engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(8242091)")
            alembic.command.upgrade(alembic_config(connection), "head")

    def is_current(self) -> bool:
        """Whether the tables are there, in this version's form."""
        with self._engine.execution_options(**{_READING: True}).connect() as connection:
            found = MigrationContext.configure(connection).get_current_heads()
        return found == tuple(ScriptDirectory(str(_MIGRATIONS)).get_heads())


@contextmanager
def reachable() -> Iterator[None]:
    """Tell a database that cannot be used as one line, without its URL, which may hold a password.

    Raises:
        ServiceError: the database cannot be reached or does not answer as it should.
    """
    try:
        yield
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0] if error.orig else type(error).__name__
        raise ServiceError(f"the database cannot be used: {reason}") from error
    except alembic.util.CommandError as error:
        raise ServiceError(
            f"the database is of another version of avdetect ({error}); install that one"
        ) from error


def alembic_config(connection: Connection) -> alembic.config.Config:
    """Alembic's settings for one open connection; the migrations travel in the package."""
    config = alembic.config.Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise UsageError(
                f"--db {parsed.get_backend_name()}: use sqlite:///FILE or postgresql://…"
            )
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(create_engine(parsed, connect_args={"timeout": _BUSY_S}))
        return create_engine(
            parsed, pool_pre_ping=True, pool_recycle=600, connect_args={"connect_timeout": 10}
        )
    except (ArgumentError, NoSuchModuleError) as error:
        raise UsageError("--db is no database URL: use sqlite:///FILE or postgresql://…") from error


def _sqlite(engine: Engine) -> Engine:
    @event.listens_for(engine, "connect")
    def connect(connection: Any, record: object) -> None:
        connection.isolation_level = None  # the driver opens no transactions: `begin` does
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes its place at once: one that starts as a reader may be refused half-way.
        looks = connection.get_execution_options().get(_READING, False)
        connection.exec_driver_sql("BEGIN" if looks else "BEGIN IMMEDIATE")

    return engine
