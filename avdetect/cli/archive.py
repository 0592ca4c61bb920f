"""``avdetect batch``: judge an archive, show how far it is, say what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar

from avdetect.cli import exit_codes
from avdetect.cli.inputs import MEDIA_SUFFIXES, RAW_SUFFIXES
from avdetect.cli.interrupt import interruptible
from avdetect.cli.progress import wants_bar
from avdetect.cli.streams import own_streams
from avdetect.errors import UsageError
from avdetect.media.source import display_path
from avdetect.options import ScanOptions
from avdetect.types import Decision

if TYPE_CHECKING:
    from avdetect.archive.run import ArchiveRequest, Progress, Summary
    from avdetect.archive.work import Engine

_LINE_EVERY_S = 60.0  # in a log, where no bar moves
_FAILURES = {
    "not_found": "not there, or not to be read",
    "unreadable_media": "no sound or picture in it",
    "limit": "beyond a limit",
    "input": "changed or failed while it was read",
    "crashed": "killed every worker that opened it",
    "stalled": "held a worker up for too long",
    "out_of_memory": "took more memory than a worker may have",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """What ``avdetect batch`` was asked.

    Raises:
        UsageError: if a value or a combination makes no sense.
    """

    inputs: str
    out: str
    journal: Path | None
    engine: str
    workers: int | None
    gpus: float
    ray_address: str
    stall_limit_s: float
    retry_crashed: bool
    model: str
    device: str
    options: ScanOptions
    quiet: bool

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise UsageError("--workers must be 1 or more")
        if self.stall_limit_s <= 0:
            raise UsageError("--stall-limit must be above 0 seconds")
        if self.device not in ("auto", "cpu", "cuda"):
            raise UsageError("--device must be auto, cpu or cuda")
        if self.gpus and self.engine != "ray":
            raise UsageError("--gpus shares out the GPUs of a cluster: give --engine ray too")


def run_batch(request: BatchRequest) -> int:
    """Judge the archive; returns the exit code."""
    if find_spec("pyarrow") is None or find_spec("fsspec") is None:
        raise UsageError('archives need packages that are absent: pip install "avdetect[batch]"')
    from avdetect.archive.run import run_archive

    last: list[Progress] = []
    try:
        with own_streams(), interruptible() as check, _display(quiet=request.quiet) as show:

            def settled(progress: Progress) -> None:
                check()
                last[:] = [progress]
                show(progress)

            summary = run_archive(_archive_request(request), _engine_maker(request), settled)
    except KeyboardInterrupt:
        done = f"{last[0].n_settled} of {last[0].n_inputs} inputs done" if last else "nothing done"
        typer.echo(f"avdetect: interrupted: {done}; the same command goes on from here", err=True)
        return exit_codes.INTERRUPTED
    if not request.quiet:
        _print_summary(summary, request)
    return exit_codes.NOT_JUDGED if summary.tally.failures else exit_codes.OK


def _archive_request(request: BatchRequest) -> ArchiveRequest:
    from avdetect.archive.fingerprint import model_fingerprint
    from avdetect.archive.run import ArchiveRequest

    return ArchiveRequest(
        inputs=request.inputs,
        out=request.out,
        suffixes=RAW_SUFFIXES if request.options.format else MEDIA_SUFFIXES,
        model=model_fingerprint(request.model, request.options),
        prior_fake=request.options.prior_fake,
        journal=request.journal,
        retry_killing=request.retry_crashed,
    )


def _engine_maker(request: BatchRequest) -> Callable[[int], Engine]:
    from avdetect.archive.fingerprint import model_fingerprint
    from avdetect.archive.judging import DetectorSpec

    on_ray_cpus = request.engine == "ray" and not request.gpus and request.device == "auto"
    spec = DetectorSpec(
        model=request.model,
        fingerprint=model_fingerprint(request.model, request.options),
        device="cpu" if on_ray_cpus else request.device,
        options=request.options,
    )

    def make(n_inputs: int) -> Engine:
        if request.engine == "ray":
            from avdetect.archive.ray_engine import ClusterShare, RayEngine

            share = ClusterShare(
                address=request.ray_address,
                actors=request.workers,
                gpus=request.gpus,
                stall_s=request.stall_limit_s,
            )
            return RayEngine(spec, share)
        from avdetect.archive.local import LocalEngine
        from avdetect.archive.pool import Limits

        limits = Limits.of_this_machine(request.workers, stall_s=request.stall_limit_s)
        return LocalEngine(spec, replace(limits, workers=min(limits.workers, n_inputs)))

    return make


@contextmanager
def _display(*, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """Show progress on standard error: a bar for people, a line a minute in a log."""
    if quiet:
        yield lambda progress: None
    elif wants_bar(quiet=quiet):
        with _bar() as show:
            yield show
    else:
        yield _lines()


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[left]}"),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("listing", total=None, left="")

        def show(progress: Progress) -> None:
            bar.update(
                task,
                description="resumed" if progress.is_resumed else "judging",
                completed=progress.n_settled,
                total=progress.n_inputs,
                left=_left(progress),
            )

        yield show


def _lines() -> Callable[[Progress], None]:
    last_s = time.monotonic()

    def show(progress: Progress) -> None:
        nonlocal last_s
        if progress.n_settled == 0:
            word = "resuming" if progress.is_resumed else "judging"
            typer.echo(f"{word} an archive of {progress.n_inputs} inputs", err=True)
        elif time.monotonic() - last_s >= _LINE_EVERY_S:
            last_s = time.monotonic()
            done = f"{progress.n_settled} of {progress.n_inputs} inputs done"
            typer.echo(f"{done}, {_left(progress)}", err=True)

    return show


def _left(progress: Progress) -> str:
    seconds = progress.remaining_s
    return "time left not known yet" if seconds is None else f"about {_duration(seconds)} left"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"


def _print_summary(summary: Summary, request: BatchRequest) -> None:
    tally = summary.tally
    decided = ", ".join(f"{tally.decisions[word]} {word}" for word in Decision)
    lines = [
        f"{display_path(request.out)}: {tally.n_rows} rows, one for every input",
        f"  judged: {decided}",
        f"  not judged: {sum(tally.failures.values())}",
        *(
            f"    {count:>7}  {code:<16}  {_FAILURES.get(code, '')}".rstrip()
            for code, count in tally.failures.most_common()
        ),
        f"  {summary.n_judged} contents judged in {_duration(summary.seconds)}; "
        "every other row shares one of them, or was known before",
    ]
    for line in lines:
        typer.echo(line)
