"""``avdetect trace``: who made these files, and which of them come from one source."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from avdetect.cli import exit_codes
from avdetect.cli.inputs import STDIN_NAME, find_sources
from avdetect.cli.interrupt import interruptible
from avdetect.cli.progress import waiting, wants_bar
from avdetect.cli.streams import own_streams
from avdetect.errors import UsageError
from avdetect.report.words import percent_words, plain
from avdetect.tracing.results import Failure, SourceGroup, Trace, Tracing

TRACE_HELP = """Name who made pictures and voices: which generator, and which files share a source.

PATH is a picture, video or sound file, or a folder. Each is compared with the generators that \
the tracer knows; where none fits the source is unknown, with the reason and the nearest ones. The \
likely design of a picture's generator, known or not, is read from its fingerprint. Files that \
seem to come from one source are grouped. Whether a file is fake is another question: avdetect scan.

\b
Examples:
  avdetect trace profile.png
  avdetect trace ad1.jpg ad2.jpg ad3.jpg
  avdetect trace case-117/ --json > traces.json
  avdetect trace call.wav voicemail.mp3

\b
Exit codes, the first that holds:
  2    wrong usage, or a model is missing or damaged
  3    some file could not be read, or the source of some is unknown
  0    the source of every file was named
  130  interrupted with Ctrl-C
"""


def trace(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", show_default=False)],
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for all, nothing else.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="One line per file, no progress bar.")
    ] = False,
) -> None:
    """Trace all inputs, print what was found, choose the exit code."""
    if STDIN_NAME in paths:
        raise UsageError("-: tracing reads files only; save the clip and give its name")
    with own_streams() as out:
        try:
            with interruptible():
                found = _traced(paths, quiet=quiet)
        except KeyboardInterrupt:
            typer.echo("avdetect: interrupted: nothing was traced to the end", err=True)
            raise typer.Exit(exit_codes.INTERRUPTED) from None
        if json:
            out.write(json_module.dumps(found.to_dict(), ensure_ascii=False) + "\n")
        else:
            _print(found, out, quiet=quiet)
        out.flush()
    raise typer.Exit(exit_code(found))


def exit_code(found: Tracing) -> int:
    """3 where a file could not be read or its source is unknown, else 0."""
    if found.failures or any(trace.reason is not None for trace in found.traces):
        return exit_codes.NOT_JUDGED
    return exit_codes.OK


def _traced(paths: list[str], *, quiet: bool) -> Tracing:
    sources = find_sources(paths, raw=False)
    media = [source for source in sources if source.media is not None]
    failures = [
        Failure(path=source.name, code=problem.code, message=f"{source.name}: {problem}")
        for source in sources
        if (problem := source.problem) is not None
    ]
    if not media:
        return Tracing(traces=(), groups=(), failures=tuple(failures), models=())
    with waiting("loading models", shown=wants_bar(quiet=quiet)):
        from avdetect.tracing.pictures import load_picture_tracer
        from avdetect.tracing.trace import Tracers, trace_files
        from avdetect.tracing.voices import load_voice_tracer

        tracers = Tracers(picture=load_picture_tracer(), voice=load_voice_tracer())
    with _bar(len(media), shown=wants_bar(quiet=quiet)) as step:
        found = trace_files((str(source.media) for source in media), tracers, progress=step)
    return Tracing(
        traces=found.traces,
        groups=found.groups,
        failures=(*failures, *found.failures),
        models=found.models,
    )


@contextmanager
def _bar(n_files: int, *, shown: bool) -> Iterator[Callable[[], None]]:
    if not shown:
        yield lambda: None
        return
    columns = (TextColumn("tracing"), BarColumn(bar_width=30), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("tracing", total=n_files)
        yield lambda: progress.advance(task)


def _print(found: Tracing, out: TextIO, *, quiet: bool) -> None:
    lines: list[str] = []
    for failure in found.failures:
        lines.append(f"NOT READ  {failure.message}")
    for each in found.traces:
        lines += _trace_lines(each, quiet=quiet)
    for number, group in enumerate(found.groups, start=1):
        lines += _group_lines(group, number)
    if not found.groups and len(found.traces) > 1:
        lines.append("No two of these files seem to come from one generator.")
    out.writelines(plain(line) + "\n" for line in lines)


def _trace_lines(trace: Trace, *, quiet: bool) -> list[str]:
    head = f"{trace.path}  {trace.medium}: {trace.title}"
    lines = [head if trace.reason is None else f"{head}: {trace.reason}"]
    if quiet or not trace.candidates:
        return lines
    named = [f"{c.title} {percent_words(c.probability)}" for c in trace.candidates]
    lines.append(f"    among known sources: {', '.join(named)}")
    if trace.design:
        read = [f"{p.name} {p.value} ({percent_words(p.probability)})" for p in trace.design]
        lines.append(f"    likely design: {', '.join(read)}")
    return lines


def _group_lines(group: SourceGroup, number: int) -> list[str]:
    sure = percent_words(group.probability)
    lines = [f"Group {number}: {len(group.paths)} {group.medium}s seem to share a source ({sure})"]
    return lines + [f"    {path}" for path in group.paths]
