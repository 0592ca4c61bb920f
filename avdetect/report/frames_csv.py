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

COLUMNS = ("path", "branch", "channel", "face_track", "start_s", "end_s", "score", "weight")


class FrameTable:
    """A table that appears whole under its name when all clips are written, or not at all.

    Args:
        target: where it is to lie; an older one is replaced.

    Raises:
        OutputError: nothing can be written there, now or later.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._part = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
        if target.is_dir():
            raise OutputError(f"{target}: is a folder; name a file")
        try:
            self._stream = self._part.open("x", encoding="utf-8", newline="")
        except OSError as error:
            raise OutputError(f"{target}: cannot be written: {error.strerror}") from error
        self._writer = csv.writer(self._stream, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def add(self, path: str, parts: Iterable[PartFrames]) -> None:
        """Write the frames of one clip."""
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
            raise OutputError(f"{self._target}: cannot be written: {error.strerror}") from error

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
            if error is None:
                self._part.replace(self._target)
        except OSError as failure:
            raise OutputError(f"{self._target}: cannot be written: {failure.strerror}") from failure
        finally:
            self._part.unlink(missing_ok=True)
