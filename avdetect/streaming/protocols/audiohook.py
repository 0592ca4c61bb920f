"""Genesys AudioHook: JSON messages and binary sound over one WebSocket, both sides numbered.

https://developer.genesys.cloud/devapps/audiohook. The customer is ``external``, the agent
``internal``. Judgements leave by another way: the protocol's events are transcripts and hints for
the agent's screen.
"""

from __future__ import annotations

import json
import re
from typing import Any

from avdetect.errors import InputError, InputLimitError
from avdetect.streaming.options import StreamOptions
from avdetect.streaming.protocols.events import (
    MAX_MESSAGE_BYTES,
    Ended,
    Event,
    Reply,
    Sound,
    Started,
)
from avdetect.streaming.protocols.fields import read_object, take_count, take_name, take_object
from avdetect.streaming.updates import Update

_NAME = "AudioHook"
_VERSION = "2"
_RATE_HZ = 8_000
_CHANNELS = (["external", "internal"], ["external"], ["internal"])  # most wanted first
_NO_UUID = "00000000-0000-0000-0000-000000000000"  # of a probe: somebody tries the connection
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DURATION = re.compile(r"PT(\d{0,9}\.?\d{1,9})S", re.ASCII)


class AudioHookCall:
    """One connection of AudioHook's."""

    def __init__(self, prior_fake: float = 0.5, stop_at: float | None = None) -> None:
        self._prior_fake, self._stop_at = prior_fake, stop_at
        self._id: str | None = None
        self._seq = self._clientseq = 0
        self._n_channels = 0
        self._heard_s = 0.0  # position in the sound: what came and what is told to be discarded
        self._is_paused = self._is_closed = False

    def receive(self, message: str | bytes) -> list[Event]:
        """See `CallProtocol`."""
        if isinstance(message, bytes):
            return self._sound(message)
        found = read_object(message, _NAME)
        kind = self._checked(found)
        parameters = take_object(found, "parameters", _NAME)
        if kind == "open":
            return self._open(parameters)
        if self._id is None:
            raise InputError(f"{_NAME}: {kind} before open")
        if kind == "ping":
            return [Reply(self._message("pong"))]
        if kind == "close":
            self._is_closed = True
            return [Ended()]
        if kind == "paused":
            self._is_paused = True
        elif kind in ("resumed", "discarded"):
            self._is_paused = self._is_paused and kind == "discarded"
            self._heard_s += _seconds(parameters, "discarded")
        return []  # error and update ask for nothing

    def updated(self, update: Update) -> list[str]:
        """None: AudioHook has no word for it."""
        return []

    def ended(self) -> list[str]:
        """The answer to ``close``; if the server ends the call, the wish that it be closed."""
        if self._is_closed:
            return [self._message("closed")]
        return [self._message("disconnect", {"reason": "completed"})] if self._id else []

    def refused(self, reason: str) -> list[str]:
        """``disconnect`` with the reason, which the sender answers by closing."""
        if self._id is None or self._is_closed:
            return []
        return [self._message("disconnect", {"reason": "error", "info": reason})]

    def _checked(self, message: dict[str, Any]) -> str:
        """The message's type, once its numbers and names are in order."""
        kind = take_name(message, "type", _NAME)
        if message.get("version") != _VERSION:
            raise InputError(f"{_NAME}: version must be {_VERSION}")
        if take_count(message, "seq", _NAME) != self._clientseq + 1:
            raise InputError(f"{_NAME}: seq must be {self._clientseq + 1}")
        if take_count(message, "serverseq", _NAME) > self._seq:
            raise InputError(f"{_NAME}: serverseq is ahead of what was sent")
        session = take_name(message, "id", _NAME)
        if not _UUID.fullmatch(session) or session != (self._id or session):
            raise InputError(f"{_NAME}: id must be the session's UUID")
        _seconds(message, "position")
        if self._is_closed:
            raise InputError(f"{_NAME}: {kind} after close")
        self._clientseq += 1
        if kind == "open":
            if self._id is not None:
                raise InputError(f"{_NAME}: a second open")
            self._id = session
        return kind

    def _open(self, parameters: dict[str, Any]) -> list[Event]:
        call_id = take_name(parameters, "conversationId", _NAME)
        offered = parameters.get("media")
        if not isinstance(offered, list):
            raise InputError(f"{_NAME}: media must be a list")
        chosen = next((m for m in map(_media, _CHANNELS) if m in offered), None)
        if call_id == _NO_UUID:
            return [Reply(self._message("opened", {"media": [chosen] if chosen else []}))]
        if chosen is None:
            raise InputError(f"{_NAME}: no media offered that is PCMU at {_RATE_HZ} Hz")
        self._n_channels = len(chosen["channels"])
        options = StreamOptions(
            tracks=tuple(chosen["channels"]),
            prior_fake=self._prior_fake,
            stop_at=self._stop_at,
            name=call_id,
        )
        opened = self._message("opened", {"media": [chosen], "startPaused": False})
        return [Started(call_id=call_id, options=options), Reply(opened)]

    def _sound(self, data: bytes) -> list[Event]:
        if not self._n_channels or self._is_closed:
            raise InputError(f"{_NAME}: sound outside an open session")
        if len(data) > MAX_MESSAGE_BYTES:
            raise InputLimitError(f"{_NAME}: a frame of over {MAX_MESSAGE_BYTES} bytes")
        if len(data) % self._n_channels:
            raise InputError(f"{_NAME}: a frame that is not whole samples of every channel")
        if self._is_paused:
            return []  # on its way before the sender took notice
        at_s = self._heard_s
        self._heard_s += len(data) / self._n_channels / _RATE_HZ
        return [Sound(data, None, at_s)]

    def _message(self, kind: str, parameters: dict[str, Any] | None = None) -> str:
        self._seq += 1
        return json.dumps(
            {
                "version": _VERSION,
                "type": kind,
                "seq": self._seq,
                "clientseq": self._clientseq,
                "id": self._id,
                "parameters": parameters or {},
            }
        )


def _media(channels: list[str]) -> dict[str, Any]:
    return {"type": "audio", "format": "PCMU", "channels": channels, "rate": _RATE_HZ}


def _seconds(message: dict[str, Any], name: str) -> float:
    found = message.get(name)
    match = _DURATION.fullmatch(found) if isinstance(found, str) else None
    if match is None:
        raise InputError(f'{_NAME}: {name} must be a duration such as "PT1.5S"')
    return float(match[1])
