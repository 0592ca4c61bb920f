"""``avdetect stream``: judge a call while it comes in on standard input, one JSON object a line."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from io import BufferedReader
from types import FrameType
from typing import TYPE_CHECKING, TextIO, cast

import typer

from avdetect.cli import exit_codes
from avdetect.cli.scan import exit_code
from avdetect.cli.streams import own_streams
from avdetect.errors import UnreadableMediaError, UsageError

if TYPE_CHECKING:
    from avdetect.streaming.options import StreamOptions
    from avdetect.streaming.session import StreamSession
    from avdetect.streaming.updates import Update

_READ_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRequest:
    """What ``avdetect stream`` was asked."""

    options: StreamOptions
    model: str
    device: str
    fail_on_fake: bool


def run_stream(request: StreamRequest) -> int:
    """Judge standard input; returns the exit code. Ctrl-C ends the call, its verdicts follow."""
    if sys.stdin.isatty():
        raise UsageError("standard input is a terminal; pipe the sound of a call into it")
    with own_streams() as out:
        session = _open_session(request)
        codes, n_bytes = set[int](), 0
        with _StandardInput() as call:
            while not session.is_over and (data := call.read()):
                n_bytes += len(data)
                codes |= _say(session.push(data), request, out)
            if not n_bytes and not call.interrupted:
                raise UnreadableMediaError("standard input is empty (0 bytes): no call came in")
            codes |= _say(session.finish(), request, out)
    if call.interrupted:
        typer.echo("avdetect: interrupted: judged what was heard", err=True)
        return exit_codes.INTERRUPTED
    return next(
        (code for code in (exit_codes.FAIL_ON, exit_codes.NOT_JUDGED) if code in codes),
        exit_codes.OK,
    )


class _StandardInput:
    """The call, until its end or Ctrl-C; that is never let into the middle of a judgement."""

    def __init__(self) -> None:
        self.interrupted = self._is_reading = False
        self._pipe = cast(BufferedReader, sys.stdin.buffer)

    def __enter__(self) -> _StandardInput:
        self._before = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *exception: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def read(self) -> bytes:
        """What has come in, at least a byte; nothing at the end."""
        self._is_reading = True
        try:
            return b"" if self.interrupted else self._pipe.read1(_READ_BYTES)
        except KeyboardInterrupt:
            return b""
        finally:
            self._is_reading = False

    def _press(self, number: int, frame: FrameType | None) -> None:
        self.interrupted = True
        if self._is_reading:
            raise KeyboardInterrupt


def _open_session(request: StreamRequest) -> StreamSession:
    from avdetect.detector import Detector
    from avdetect.streaming.session import StreamSession

    return StreamSession(Detector.load(request.model, device=request.device), request.options)


def _say(updates: Iterable[Update], request: StreamRequest, out: TextIO) -> set[int]:
    """Print updates as they come; gives the exit codes that the verdicts among them ask for."""
    codes = set()
    for update in updates:
        out.write(update.to_json() + "\n")
        out.flush()
        if update.type == "verdict":
            codes.add(exit_code(update.verdict, fail_on_fake=request.fail_on_fake))
    return codes
