"""A progress bar on standard error, for people only: never into a pipe or a log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

ReportProgress = Callable[[float, float | None], None]


def wants_bar(*, quiet: bool) -> bool:
    """Whether somebody is there to look at a bar."""
    return sys.stderr.isatty() and not quiet


def waiting(words: str, *, shown: bool) -> AbstractContextManager[object]:
    """Say what takes a moment, for as long as the block runs."""
    return Console(stderr=True).status(words) if shown else nullcontext()


@contextmanager
def progress_bar(name: str, position: str) -> Iterator[ReportProgress]:
    """Show one clip's progress; gives a function of seconds done and seconds in all (or None).

    The bar is gone when the block ends, so that results on the same terminal stay whole.
    """
    bar = Progress(
        TextColumn("{task.fields[position]}"),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[clock]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(Text(name).plain[:60], total=None, position=position, clock="opening")

        def report(done_s: float, total_s: float | None) -> None:
            clock = f"{done_s:.0f} s" if total_s is None else f"{done_s:.0f} of {total_s:.0f} s"
            bar.update(task, completed=done_s, total=total_s, clock=clock)

        yield report
