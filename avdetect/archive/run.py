"""One run over an archive: list, identify, judge what is new, write the results."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from avdetect.archive.journal import Journal
from avdetect.archive.listing import Archive, find_archive, list_archive
from avdetect.archive.results import Row, Tally, check_out, result_row, write_results
from avdetect.archive.storage import is_url, open_storage
from avdetect.archive.work import Engine, Identity, Outcome, Task
from avdetect.errors import AvdetectError, InputNotFoundError, OutputError, UsageError
from avdetect.media.source import display_path


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveRequest:
    """What a run is about.

    Attributes:
        inputs: folder or manifest, a path or a URL.
        out: results file, ``.parquet`` or ``.jsonl``, a path or a URL.
        suffixes: what a folder is searched for, lower case with the dot.
        model: fingerprint of what judges, see `avdetect.archive.fingerprint`.
        prior_fake: of the scans.
        journal: file that makes the run resumable; default ``out`` with ``.journal`` behind it.
        retry_killing: judge contents again that killed their workers in an earlier run.

    Raises:
        UsageError: the results' suffix names no format, or a remote ``out`` has no journal here.
    """

    inputs: str
    out: str
    suffixes: Collection[str]
    model: str
    prior_fake: float
    journal: Path | None = None
    retry_killing: bool = False

    def __post_init__(self) -> None:
        check_out(self.out)
        if self.journal is None and is_url(self.out):
            raise UsageError(
                f"{display_path(self.out)}: is remote; name a local --journal FILE beside it, "
                "which makes the run resumable"
            )

    @property
    def journal_path(self) -> Path:
        """Where the journal lies."""
        return self.journal or Path(f"{self.out}.journal")


@dataclass(slots=True)
class Progress:
    """How far a run is; it is handed out after every change and mutable: read, do not keep.

    Attributes:
        n_inputs: of the archive.
        n_settled: that have their answer, or share the content of one that is being judged.
        n_judged: contents judged in this run.
        is_resumed: an earlier run was cut short, and goes on.
        began_s: when judging began, on the monotonic clock.
    """

    n_inputs: int = 0
    n_settled: int = 0
    n_judged: int = 0
    is_resumed: bool = False
    began_s: float = 0.0

    @property
    def remaining_s(self) -> float | None:
        """Seconds left at the pace of what this run has judged; None before the first."""
        if not self.n_judged:
            return None
        pace_s = (time.monotonic() - self.began_s) / self.n_judged
        return pace_s * (self.n_inputs - self.n_settled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a run did.

    Attributes:
        tally: what was written.
        n_judged: contents judged in this run; all other rows share one, or were known before.
        seconds: it took.
    """

    tally: Tally
    n_judged: int
    seconds: float


MakeEngine = Callable[[int], Engine]
Show = Callable[[Progress], None]


def run_archive(request: ArchiveRequest, make_engine: MakeEngine, show: Show) -> Summary:
    """Judge an archive; a run that was interrupted goes on where it stopped.

    Args:
        request: what to judge and where to write.
        make_engine: number of inputs -> who works; called when they are listed.
        show: called after every input that is settled.

    Raises:
        InputNotFoundError: the folder or manifest is not there, or holds no media.
        UsageError: an option makes no sense, another run is at work on the same journal, or the
            results would overwrite something else.
        CheckpointError: a model is absent, damaged, or not the same everywhere.
        OutputError: the journal or the results cannot be written.
    """
    archive = find_archive(request.inputs)
    _refuse_overwriting(request)
    with Journal(request.journal_path, archive, request.model) as journal:
        run = _Run(request, archive, journal, show)
        run.list()
        run.judge_all(make_engine(run.progress.n_inputs))
        return run.write()


class _Run:
    def __init__(
        self, request: ArchiveRequest, archive: Archive, journal: Journal, show: Show
    ) -> None:
        self._request, self._archive, self._journal, self._show = request, archive, journal, show
        self._under_way: set[str] = set()  # contents being judged
        self.progress = Progress()
        self._began_s = time.monotonic()

    def list(self) -> None:
        self.progress.is_resumed = self._journal.is_unfinished
        if self._request.retry_killing:
            self._journal.forget_killing()
        listed = list_archive(self._archive, self._request.suffixes)
        is_folder = self._archive.manifest is None
        self.progress.n_inputs = self._journal.take_listing(listed, sort=is_folder)
        if not self.progress.n_inputs:
            what = "no media files in this folder" if is_folder else "the manifest is empty"
            raise InputNotFoundError(f"{display_path(self._request.inputs)}: {what}")
        self.progress.began_s = time.monotonic()
        self._show(self.progress)

    def judge_all(self, engine: Engine) -> None:
        identities = engine.identify(self._journal.unidentified())
        self._take(engine.judge(self._new_contents(identities)))
        # What is left shares its content with a file that vanished or changed before its turn.
        while next(self._journal.unjudged(), None) is not None:
            if not self._take(engine.judge(self._journal.unjudged())):
                raise AvdetectError("the engine left inputs without an answer; run again")

    def write(self) -> Summary:
        tally = write_results(self._rows(), self._request.out)
        self._journal.finish()
        return Summary(
            tally=tally,
            n_judged=self.progress.n_judged,
            seconds=time.monotonic() - self._began_s,
        )

    def _new_contents(self, identities: Generator[Identity, None, None]) -> Iterator[Task]:
        with closing(identities):
            for identity in identities:
                self._journal.record_identity(identity)
                sha256 = identity.sha256
                if sha256 is None or sha256 in self._under_way or self._journal.is_judged(sha256):
                    self._settle()
                else:
                    self._under_way.add(sha256)
                    yield Task(identity.position, identity.path, sha256)

    def _take(self, outcomes: Generator[Outcome, None, None]) -> int:
        before = self.progress.n_judged
        with closing(outcomes):  # or an interruption would leave workers behind
            for outcome in outcomes:
                self._journal.record(outcome)
                self._under_way.discard(outcome.sha256)
                self.progress.n_judged += 1
                self._settle()
        return self.progress.n_judged - before

    def _settle(self) -> None:
        progress = self.progress
        progress.n_settled = min(progress.n_settled + 1, progress.n_inputs)
        self._show(progress)

    def _rows(self) -> Iterator[Row]:
        for settled in self._journal.settled():
            yield result_row(
                settled,
                self._archive.shown(settled.name),
                prior_fake=self._request.prior_fake,
                model=self._request.model,
            )


def _refuse_overwriting(request: ArchiveRequest) -> None:
    """Only what an earlier run wrote is ever replaced, and its journal is the proof of that."""
    if not request.journal_path.exists() and _exists(request.out):
        raise UsageError(
            f"{display_path(request.out)}: is there already, and without its journal "
            f"{display_path(request.journal_path)}; move it away, or choose another --out"
        )
    for path in (request.journal_path, *(() if is_url(request.out) else (Path(request.out),))):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            said = f"{display_path(path.parent)}: cannot be made: {error.strerror}"
            raise OutputError(said) from error


def _exists(out: str) -> bool:
    if not is_url(out):
        return Path(out).exists()
    filesystem, path = open_storage(out)
    return bool(filesystem.exists(path))
