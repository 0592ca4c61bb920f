"""The database: made by migrations, the same as the tables say, refused where it is none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from avdetect.errors import ServiceError, UsageError
from avdetect.service.store import Store
from avdetect.service.tables import Base


def test_migrations_make_the_tables_that_the_code_knows(store):
    with store.reading() as session:
        context = MigrationContext.configure(session.connection())
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_again_changes_nothing(store):
    store.migrate()
    assert store.is_current()


def test_several_processes_may_migrate_at_once(db_url):
    stores = [Store(db_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Store.migrate, stores))
    assert all(store.is_current() for store in stores)
    for store in stores:
        store.close()


def test_empty_database_is_not_current(db_url):
    store = Store(db_url)
    assert not store.is_current()
    store.close()


def test_database_of_a_newer_version_is_refused(store):
    with store.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ServiceError, match="another version"):
        store.migrate()


@pytest.mark.parametrize("url", ["mysql://host/name", "nonsense", "postgres+x://host"])
def test_url_of_no_store_is_refused(url):
    with pytest.raises(UsageError):
        Store(url)


def test_unreachable_database_is_one_line_without_its_password():
    store = Store("postgresql://user:secret@127.0.0.1:1/name")
    with pytest.raises(ServiceError) as told:
        store.migrate()
    assert "secret" not in str(told.value)
    assert "\n" not in str(told.value)
