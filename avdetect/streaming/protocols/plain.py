"""Our own protocol: one JSON object that tells the sound, then the sound; judgements come back.

    text    {"encoding": "ulaw", "rate": 8000, "tracks": ["left", "right"], "prior_fake": 0.01}
    binary  sound, the tracks interleaved sample by sample
    text    {"at_s": 12.5}     where the next sound stands, if some was lost or left out
    text    {"end": true}      the verdicts follow, then the connection is closed

Every answer is one update as JSON (`avdetect.streaming.updates`).
"""

from __future__ import annotations

import uuid
from typing import Any

from avdetect.errors import InputError, InputLimitError, UsageError
from avdetect.streaming.options import StreamOptions
from avdetect.streaming.protocols.events import MAX_MESSAGE_BYTES, Ended, Event, Sound, Started
from avdetect.streaming.protocols.fields import read_object, take_name, take_seconds
from avdetect.streaming.updates import Update
from avdetect.verdict import Failure

_NAME = "live call"
_WORDS = {"call_id", "encoding", "rate", "tracks", "prior_fake", "stop_at"}


class PlainCall:
    """One connection that speaks our own protocol."""

    def __init__(self) -> None:
        self._is_started = self._is_over = False
        self._at_s: float | None = None

    def receive(self, message: str | bytes) -> list[Event]:
        """See `CallProtocol`."""
        if self._is_over:
            return []
        if isinstance(message, bytes):
            return self._sound(message)
        found = read_object(message, _NAME)
        if not self._is_started:
            return [self._start(found)]
        if "at_s" in found:
            self._at_s = take_seconds(found, "at_s", _NAME)
            return []
        if found.get("end") is not True:
            raise InputError(f'{_NAME}: say {{"at_s": seconds}} or {{"end": true}}')
        self._is_over = True
        return [Ended()]

    def updated(self, update: Update) -> list[str]:
        """The update itself."""
        return [update.to_json()]

    def ended(self) -> list[str]:
        """None: the verdicts were the last word."""
        return []

    def refused(self, reason: str) -> list[str]:
        """The reason, as a failure."""
        return [Failure(code=InputError.code, message=reason).model_dump_json()]

    def _start(self, message: dict[str, Any]) -> Started:
        unknown = sorted(set(message) - _WORDS)
        if unknown:
            raise InputError(f"{_NAME}: does not know {unknown[0]!r}; use {', '.join(_WORDS)}")
        call_id = uuid.uuid4().hex
        if "call_id" in message:
            call_id = take_name(message, "call_id", _NAME)
        try:
            options = StreamOptions(
                encoding=_typed(message, "encoding", str, "ulaw"),
                rate_hz=_typed(message, "rate", int, 8_000),
                tracks=tuple(_typed(message, "tracks", list, ["mono"])),
                prior_fake=float(_typed(message, "prior_fake", (int, float), 0.5)),
                stop_at=_typed(message, "stop_at", float, None),
                name=call_id,
            )
        except UsageError as error:
            raise InputError(f"{_NAME}: {error}") from error
        self._is_started = True
        return Started(call_id=call_id, options=options)

    def _sound(self, data: bytes) -> list[Event]:
        if not self._is_started:
            raise InputError(f"{_NAME}: sound before the object that tells what it is")
        if len(data) > MAX_MESSAGE_BYTES:
            raise InputLimitError(f"{_NAME}: a message of over {MAX_MESSAGE_BYTES} bytes")
        at_s, self._at_s = self._at_s, None
        return [Sound(data, None, at_s)]


def _typed(message: dict[str, Any], name: str, kind: Any, default: Any) -> Any:
    found = message.get(name, default)
    fits = isinstance(found, kind) and not isinstance(found, bool)
    if found is not default and not fits:
        raise InputError(f"{_NAME}: {name} makes no sense")
    if name == "tracks" and not all(isinstance(each, str) and each.isprintable() for each in found):
        raise InputError(f"{_NAME}: tracks must be names")
    return found
