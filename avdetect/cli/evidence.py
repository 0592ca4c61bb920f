"""``avdetect scan --evidence-video``: what can be refused at once, and the rendering's progress."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from avdetect.cli.inputs import Source
from avdetect.cli.interrupt import Checkpoint
from avdetect.cli.progress import progress_bar, wants_bar
from avdetect.errors import InputError, UsageError

if TYPE_CHECKING:
    from avdetect.detector import Examination


def check_request(sources: list[Source], target: Path) -> None:
    """Refuse what cannot give an evidence video, before a model is loaded.

    Raises:
        UsageError: several inputs, standard input, no moving picture, or a senseless name.
        OutputError: nothing can be written there.
    """
    from avdetect.report.evidence_video import check_source, check_target

    if len(sources) != 1:
        raise UsageError(f"--evidence-video shows one clip; {len(sources)} inputs were given")
    (source,) = sources
    if source.problem is not None:
        return  # its verdict says why
    if not isinstance(source.media, Path):
        raise UsageError("--evidence-video reads its clip twice: give a file, not standard input")
    check_target(target, source.media)
    try:
        check_source(source.media)
    except InputError:
        return


def write_video(
    source: Source, examination: Examination, target: Path, check: Checkpoint, *, quiet: bool
) -> None:
    """Render what was examined; a clip that could not be judged gives no video."""
    from avdetect.report.evidence_video import write_evidence_video

    if examination.verdict.error is not None or not isinstance(source.media, Path):
        return
    if not wants_bar(quiet=quiet):
        write_evidence_video(source.media, examination, target, progress=lambda *_: check())
        return
    with progress_bar(str(target), "video") as show:

        def progress(done_s: float, total_s: float | None) -> None:
            check()
            show(done_s, total_s)

        write_evidence_video(source.media, examination, target, progress=progress)
