"""``avdetect doctor``: print the checks as they are made."""

from __future__ import annotations

import typer

from avdetect.cli import exit_codes
from avdetect.cli.streams import own_streams
from avdetect.doctor import check_installation
from avdetect.report.words import plain


def run_doctor() -> int:
    """Print one line per check; returns 0 if all is well, else 3."""
    well = True
    with own_streams() as out:
        for check in check_installation():
            mark = "ok     " if check.well else "PROBLEM"
            typer.echo(plain(f"{mark}  {check.subject:<32}  {check.finding}"), file=out)
            well = well and check.well
    typer.echo("all is well" if well else "not all is well: see the lines marked PROBLEM")
    return exit_codes.OK if well else exit_codes.NOT_JUDGED
