"""``avdetect audit``: is the service's audit log whole, and what does it say."""

from __future__ import annotations

from typing import Annotated

import typer

from avdetect.cli import exit_codes
from avdetect.cli.keys import opened_store
from avdetect.cli.serve import DEFAULT_FOLDER, Database, Folder

audit = typer.Typer(rich_markup_mode=None, help="The service's audit log: verify, show.")


@audit.command("verify")
def verify(
    head: Annotated[
        str | None,
        typer.Option(metavar="SHA256", help="A head noted earlier: is it still in the log."),
    ] = None,
    folder: Folder = DEFAULT_FOLDER,
    db: Database = None,
) -> None:
    """Check every entry's hash, their chain, and the stored verdicts; exit code 3 if any differs.

    Note the head it prints elsewhere: it is how entries cut off later are found out.
    """
    with opened_store(folder, db) as store, store.reading() as session:
        from avdetect.service.audit import verify as verify_log

        finding = verify_log(session, expected_head=head)
    typer.echo(f"{finding.n_entries} entries hold; head {finding.head}")
    if finding.fault is not None:
        typer.echo(f"FAULT: {finding.fault}")
        raise typer.Exit(exit_codes.NOT_JUDGED)


@audit.command("show")
def show(
    subject: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Of a scan or key; default all.")
    ] = None,
    folder: Folder = DEFAULT_FOLDER,
    db: Database = None,
) -> None:
    """Print entries as JSON Lines, oldest first."""
    with opened_store(folder, db) as store, store.reading() as session:
        from avdetect.service.audit import entries, to_json

        for entry in entries(session, subject):
            typer.echo(to_json(entry))
