"""``avdetect keys``: make, list, rotate and revoke the service's API keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avdetect.cli.serve import DEFAULT_FOLDER, Database, Folder, service_extra

if TYPE_CHECKING:
    from avdetect.service.store import Store

keys = typer.Typer(rich_markup_mode=None, help="The service's API keys.")
KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="As `keys list` shows it.")]


class ScopeName(StrEnum):
    """What a key may do; the same words as the service's."""

    SUBMIT = "submit"
    READ = "read"
    DELETE = "delete"
    STREAM = "stream"
    ADMIN = "admin"


@contextmanager
def opened_store(folder: Path, db: str | None) -> Iterator[Store]:
    """The service's database, with current tables."""
    with service_extra():
        from avdetect.service.serving import open_store
        from avdetect.service.settings import ServiceSettings
        from avdetect.service.store import reachable

    store = open_store(ServiceSettings(folder=folder, db=db))
    try:
        with reachable():
            yield store
    finally:
        store.close()


@keys.command("create")
def create(
    owner: Annotated[str, typer.Option(help="System or desk; its keys see the same scans.")],
    scope: Annotated[
        list[ScopeName] | None, typer.Option(help="May be given again; default submit and read.")
    ] = None,
    expires_days: Annotated[float | None, typer.Option(metavar="D", help="Default never.")] = None,
    folder: Folder = DEFAULT_FOLDER,
    db: Database = None,
) -> None:
    """Make a key and print it, once: only its hash is kept."""
    with opened_store(folder, db) as store, store.writing() as session:
        from avdetect.service.keys import Scope, create_key

        scopes = [Scope(each.value) for each in scope or (ScopeName.SUBMIT, ScopeName.READ)]
        key = create_key(session, owner=owner, scopes=scopes, expires_days=expires_days)
    typer.echo(key)


@keys.command("list")
def list_all(folder: Folder = DEFAULT_FOLDER, db: Database = None) -> None:
    """List keys: id, owner, scopes, when made, and until when they are valid."""
    with opened_store(folder, db) as store, store.reading() as session:
        from avdetect.service.keys import list_keys

        for row, is_valid in list_keys(session):
            ends = "no end" if row.expires_at is None else f"until {_day(row.expires_at)}"
            state = ends if is_valid else "revoked" if row.revoked_at else "expired"
            line = f"{row.id}  {row.owner:<20}  {row.scopes:<30}  {_day(row.created_at)}  {state}"
            typer.echo(line)


@keys.command("rotate")
def rotate(
    key_id: KeyId,
    overlap_hours: Annotated[
        float, typer.Option(metavar="H", help="The old key is valid for so long.")
    ] = 24.0,
    folder: Folder = DEFAULT_FOLDER,
    db: Database = None,
) -> None:
    """Make a key like this one, print it, and let this one expire after an overlap."""
    with opened_store(folder, db) as store, store.writing() as session:
        from avdetect.service.keys import rotate_key

        key = rotate_key(session, key_id, overlap_hours=overlap_hours)
    typer.echo(key)


@keys.command("revoke")
def revoke(key_id: KeyId, folder: Folder = DEFAULT_FOLDER, db: Database = None) -> None:
    """End a key at once."""
    with opened_store(folder, db) as store, store.writing() as session:
        from avdetect.service.keys import revoke_key

        revoke_key(session, key_id)
    typer.echo(f"revoked {key_id}")


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
