"""A manifest row as the one file that a user would hand over."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import av

from avdetect.errors import InputError
from avdetect.types import Decision, Segment
from avdetect.verdict import Failure, Input, Verdict
from eval.cut import cut
from eval.manifest.row import ManifestRow
from eval.mux import mux


@contextmanager
def as_files(
    rows: Sequence[ManifestRow], root: Path, make: Callable[[ManifestRow, Path], Path]
) -> Iterator[tuple[dict[str, ManifestRow], list[tuple[ManifestRow, Verdict]]]]:
    """One file a row; what was written for it goes when this ends.

    Args:
        rows: of a manifest.
        root: data root.
        make: row and a folder of its own -> the file to judge.

    Yields:
        Path -> row, and a verdict with an error for every row whose file could not be made.
    """
    with tempfile.TemporaryDirectory(prefix="avdetect-run-") as scratch:
        files: dict[str, ManifestRow] = {}
        failed: list[tuple[ManifestRow, Verdict]] = []
        for number, row in enumerate(rows):
            # Numbered, so that a name cannot tell the label.
            folder = Path(scratch) / str(number)
            folder.mkdir()
            try:
                path = make(row, folder)
            except (OSError, ValueError, IndexError, InputError) as error:
                failed.append((row, _failure(root / row.path, error)))
                continue
            if str(path) in files:  # two rows of one file, such as two tellings of its truth
                path = _twin(path, folder)
            files[str(path)] = row
        yield files, failed


def clean_file(row: ManifestRow, root: Path, folder: Path) -> Path:
    """The file of a row: muxed with its sound, or cut to its segment, where it needs to be.

    Raises:
        OSError, ValueError, IndexError: a file is not there, cannot be decoded or holds no stream
            of the kind it should.
    """
    path = root / row.path
    if row.audio_path:
        path = mux(path, root / row.audio_path, folder / "clip.mkv")
    segment = segment_of(row)
    return path if segment is None else cut(path, segment, folder / "segment.mkv")


def segment_of(row: ManifestRow) -> Segment | None:
    """The part of its file that a row is, None for the whole."""
    if row.start_s is None or row.end_s is None:
        return None
    return Segment(row.start_s, row.end_s)


def _twin(path: Path, folder: Path) -> Path:
    link = folder / f"clip{path.suffix}"
    link.symlink_to(path.resolve())
    return link


def _failure(path: Path, error: Exception) -> Verdict:
    code = "not_found" if isinstance(error, FileNotFoundError) else "unreadable_media"
    if isinstance(error, av.FFmpegError):
        words = error.strerror or type(error).__name__
    else:
        words = str(error) or type(error).__name__
    return Verdict(
        input=Input(path=str(path)),
        decision=Decision.INCONCLUSIVE,
        prior_fake=0.5,
        error=Failure(code=code, message=f"{path.name}: {words}"),
    )
