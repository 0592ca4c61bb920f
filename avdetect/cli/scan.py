"""``avdetect scan``: judge every input, print verdicts, write reports, choose the exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import typer
from rich.console import Console
from rich.text import Text

from avdetect.cli import exit_codes
from avdetect.cli.inputs import STDIN_NAME, Source, find_sources
from avdetect.cli.interrupt import Checkpoint, interruptible
from avdetect.cli.progress import ReportProgress, progress_bar, waiting, wants_bar
from avdetect.cli.streams import own_streams
from avdetect.errors import InputError, UsageError
from avdetect.media.source import display_path
from avdetect.report.text import details, headline, reference_lines
from avdetect.report.words import plain
from avdetect.types import Decision
from avdetect.verdict import Failure, Input, Verdict

if TYPE_CHECKING:
    from avdetect.detector import Detector, Examination
    from avdetect.report.frames_csv import FrameTable

_COLOURS = {Decision.FAKE: "bold red", Decision.REAL: "bold green"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """What ``avdetect scan`` was asked; checked before anything heavy is loaded.

    Raises:
        UsageError: if a value or a combination makes no sense.
    """

    model: str
    device: str
    prior_fake: float
    channel: str
    cues: str
    raw_format: str | None
    rate_hz: int | None
    reference: Path | None
    speaker_model: Path | None
    json: bool
    report: Path | None
    media: bool
    evidence_video: Path | None
    frames: Path | None
    fail_on_fake: bool
    quiet: bool

    def __post_init__(self) -> None:
        if not 0.0 < self.prior_fake < 1.0:
            raise UsageError("--prior-fake must lie between 0 and 1, both excluded")
        if self.channel not in {"all", "left", "right"} and not (
            self.channel.isascii() and self.channel.isdigit()
        ):
            raise UsageError("--channel must be left, right, all or a number counted from 0")
        if (self.raw_format is None) != (self.rate_hz is None):
            raise UsageError("--format and --rate go together: raw input has no header to read")
        if self.rate_hz is not None and self.rate_hz <= 0:
            raise UsageError("--rate must be a number of samples a second above 0")
        if not self.media and self.report is None:
            raise UsageError("--no-media says what to leave out of a report: give --report DIR")
        if self.evidence_video is not None and self.raw_format is not None:
            raise UsageError("--evidence-video needs a picture, which --format says there is none")
        if self.speaker_model is not None and self.reference is None:
            raise UsageError("--speaker-model compares with a reference: give --reference FILE")


def run_scan(arguments: list[str], request: ScanRequest) -> int:
    """Judge all inputs; returns the exit code. Verdicts go to standard output as they come."""
    done, sources = 0, []
    worst: set[int] = set()
    try:
        sources = find_sources(arguments, raw=request.raw_format is not None)
        if request.report is not None:
            from avdetect.report.html import prepare_folder

            prepare_folder(request.report)
        if request.evidence_video is not None:
            from avdetect.cli.evidence import check_request

            check_request(sources, request.evidence_video)
        with (
            own_streams() as out,
            interruptible() as check,
            _frame_table(request, sources) as table,
        ):
            for verdict in _judge_all(sources, request, check, table):
                done += 1  # before it is shown: whoever reads a line may stop us at once
                worst.add(exit_code(verdict, fail_on_fake=request.fail_on_fake))
                _print_verdict(verdict, request, out)
    except KeyboardInterrupt:
        typer.echo(f"avdetect: interrupted: {done} of {len(sources)} inputs done", err=True)
        return exit_codes.INTERRUPTED
    return next(
        (code for code in (exit_codes.FAIL_ON, exit_codes.NOT_JUDGED) if code in worst),
        exit_codes.OK,
    )


def exit_code(verdict: Verdict, *, fail_on_fake: bool) -> int:
    """What one verdict asks of the shell; the call's code is the first that holds of 1, 3, 0."""
    if fail_on_fake and verdict.decision is Decision.FAKE:
        return exit_codes.FAIL_ON
    if verdict.decision is Decision.INCONCLUSIVE or verdict.error is not None:
        return exit_codes.NOT_JUDGED
    return exit_codes.OK


def _frame_table(
    request: ScanRequest, sources: list[Source]
) -> AbstractContextManager[FrameTable | None]:
    """The table that ``--frames`` asks for."""
    if request.frames is None:
        return nullcontext()
    from avdetect.report.frames_csv import FrameTable

    inputs = [source.media for source in sources if isinstance(source.media, Path)]
    inputs += [path for path in (request.reference, request.evidence_video) if path is not None]
    return FrameTable(request.frames, inputs)


def _judge_all(
    sources: list[Source], request: ScanRequest, check: Checkpoint, table: FrameTable | None
) -> Iterator[Verdict]:
    if all(source.problem is not None for source in sources):
        yield from (_failed(source, request) for source in sources)
        return
    with waiting("loading models", shown=wants_bar(quiet=request.quiet)):
        detector = _load_detector(request)
        settings = _settings(request, detector)
    one_by_one = (
        request.report is not None
        or request.evidence_video is not None
        or table is not None
        or wants_bar(quiet=request.quiet)
        or any(source.name == STDIN_NAME for source in sources)
    )
    verdicts = (
        _examine_each(detector, sources, request, settings, check, table)
        if one_by_one
        else _scan_together(detector, sources, request, settings)
    )
    for verdict in verdicts:
        check()
        yield verdict


def _load_detector(request: ScanRequest) -> Detector:
    from avdetect.detector import Detector

    return Detector.load(request.model, device=request.device, speaker_model=request.speaker_model)


def _scan_together(
    detector: Detector,
    sources: list[Source],
    request: ScanRequest,
    settings: dict[str, Any],
) -> Iterator[Verdict]:
    media = [source.media for source in sources if source.media is not None]
    verdicts = detector.scan_many(media, **settings)
    for source in sources:
        yield _failed(source, request) if source.media is None else next(verdicts)


def _examine_each(
    detector: Detector,
    sources: list[Source],
    request: ScanRequest,
    settings: dict[str, Any],
    check: Checkpoint,
    table: FrameTable | None,
) -> Iterator[Verdict]:
    for number, source in enumerate(sources, start=1):
        if source.media is None:
            yield _failed(source, request)
            continue
        options = settings | {"explain": request.report is not None}
        if request.evidence_video is not None:
            options["sightings"] = True
        if source.name == STDIN_NAME:
            options["name"] = STDIN_NAME
        if wants_bar(quiet=request.quiet):
            position = f"{number}/{len(sources)}"
            with progress_bar(display_path(source.name), position) as show:
                examination = detector.examine(
                    source.media, progress=_checked(show, check), **options
                )
        else:
            examination = detector.examine(
                source.media, progress=lambda done_s, total_s: check(), **options
            )
        check()
        if request.report is not None:
            _write_page(examination, request.report, media=request.media)
        if table is not None and examination.verdict.error is None:
            table.add(examination.verdict.input.path, examination.frames)
        yield examination.verdict
        if request.evidence_video is not None:
            from avdetect.cli.evidence import write_video

            write_video(source, examination, request.evidence_video, check, quiet=request.quiet)


def _checked(show: ReportProgress, check: Checkpoint) -> ReportProgress:
    def progress(done_s: float, total_s: float | None) -> None:
        check()
        show(done_s, total_s)

    return progress


def _settings(request: ScanRequest, detector: Detector) -> dict[str, Any]:
    settings = {
        "channel": request.channel,
        "cues": request.cues,
        "prior_fake": request.prior_fake,
        "format": request.raw_format,
        "rate": request.rate_hz,
    }
    if request.reference is not None:
        settings["reference"] = detector.enrol(request.reference)
    return settings


def _write_page(examination: Examination, folder: Path, *, media: bool) -> None:
    from avdetect.report.html import write_report

    if examination.verdict.input.sha256 is None:
        return  # nothing was read, so there is nothing to file
    write_report(
        examination.verdict,
        folder,
        exhibits=examination.exhibits,
        cues=examination.cues,
        sounds=examination.bites,
        media=media,
    )


def _failed(source: Source, request: ScanRequest) -> Verdict:
    name, problem = display_path(source.name), source.problem or InputError("nothing to open")
    return Verdict(
        input=Input(path=name),
        decision=Decision.INCONCLUSIVE,
        prior_fake=request.prior_fake,
        error=Failure(code=problem.code, message=f"{name}: {problem}"),
    )


def _print_verdict(verdict: Verdict, request: ScanRequest, out: TextIO) -> None:
    if request.json:
        out.write(verdict.to_json() + "\n")
        out.flush()
        return
    console = Console(file=out, soft_wrap=True, highlight=False)
    name_end = len(plain(verdict.input.path)) + 1
    head = Text(headline(verdict))
    head.stylize("bold", 0, name_end)
    word_end = name_end + 1 + len(verdict.decision.value)
    head.stylize(_COLOURS.get(verdict.decision, "bold yellow"), name_end + 1, word_end)
    console.print(head)
    lines = [] if request.quiet else details(verdict)
    if request.quiet and verdict.reference is not None:  # asked for by name
        lines = [plain(line) for line in reference_lines(verdict.reference)]
    for line in lines:
        console.print(Text(f"    {line}"))
    out.flush()
