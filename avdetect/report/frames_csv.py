"""Scores of every 20 ms as a table for other programs: where something stands out, never whether.

One row per scored frame, in `COLUMNS`. A voice's scores are log-odds of its frame head, those of a
face are deviations above the usual of its clip; both are uncalibrated, higher = more fake.
``weight`` is how much of the frame is usable, 0 where nobody speaks.
"""

from __future__ import annotations

import csv
import secrets
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from avdetect.errors import OutputError
from avdetect.localise import PartFrames
from avdetect.report.target import check_place

COLUMNS = ("path", "branch", "channel", "face_track", "start_s", "end_s", "score", "weight")


class FrameTable:
    """A table that appears whole under its name when all clips are written, or not at all.

    An older table is replaced, unless no clip was looked at.

    Args:
        target: where it is to lie.
        inputs: files that are read and must stay.

    Raises:
        UsageError: the target is one of the inputs.
        OutputError: nothing can be written there, now or later.
    """

    def __init__(self, target: Path, inputs: Iterable[Path] = ()) -> None:
        check_place(target, inputs, "the table")
        self._target, self._n_clips = target, 0
        self._part = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
        try:
            self._stream = self._part.open("x", encoding="utf-8", newline="")
        except OSError as error:
            raise self._failed(error) from error
        self._writer = csv.writer(self._stream, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def add(self, path: str, parts: Iterable[PartFrames]) -> None:
        """Write the frames of one clip."""
        self._n_clips += 1
        try:
            for found in parts:
                face = "" if found.part.face_track is None else found.part.face_track
                head = (path, found.branch, found.part.channel or "", face)
                frames = found.frames
                for (start_s, end_s), score, weight in zip(
                    frames.segments.tolist(), frames.scores, frames.weights, strict=True
                ):
                    self._writer.writerow(
                        (*head, f"{start_s:.3f}", f"{end_s:.3f}", f"{score:.3f}", f"{weight:.3g}")
                    )
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self._target}: the table could not be written: {error.strerror}; try another place"
        )

    def __enter__(self) -> FrameTable:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._stream.close()
            if error is None and self._n_clips:
                self._part.replace(self._target)
        except OSError as failure:
            raise self._failed(failure) from failure
        finally:
            self._part.unlink(missing_ok=True)
