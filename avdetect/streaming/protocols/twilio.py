"""Twilio Media Streams: JSON over a WebSocket, µ-law in base64, a track for each leg.

https://www.twilio.com/docs/voice/media-streams/websocket-messages. Twilio takes no messages about
a call's sound, so that judgements leave by another way. Digits that are dialled (dtmf) may be a
customer's secret: they are passed over unread.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from avdetect.errors import InputError
from avdetect.streaming.options import StreamOptions
from avdetect.streaming.protocols.events import Ended, Event, Sound, Started
from avdetect.streaming.protocols.fields import (
    read_object,
    take_count,
    take_name,
    take_object,
)
from avdetect.streaming.updates import Update

_NAME = "Twilio Media Streams"
_TRACKS = ("inbound", "outbound")
_FORMAT = ("audio/x-mulaw", 8_000, 1)
KEY_PARAMETER = "api_key"  # <Parameter name="api_key" .../>: Twilio sends no headers of ours


class TwilioCall:
    """One connection of Twilio's.

    Attributes:
        n_lost: messages that were numbered and never came.
    """

    def __init__(self, prior_fake: float = 0.5, stop_at: float | None = None) -> None:
        self._prior_fake, self._stop_at = prior_fake, stop_at
        self._stream_sid: str | None = None
        self._tracks: tuple[str, ...] = ()
        self._sequence = 0
        self._chunks: dict[str, int] = {}
        self._is_over = False
        self.n_lost = 0

    def receive(self, message: str | bytes) -> list[Event]:
        """See `CallProtocol`."""
        found = read_object(message, _NAME)
        event = take_name(found, "event", _NAME)
        if event == "connected" or self._is_over:
            return []
        if not self._is_next(found):
            return []
        if event == "start":
            return [self._start(found)]
        if event == "media":
            return self._media(found)
        if event == "stop":
            self._require_started(event)
            self._is_over = True
            return [Ended()]
        return []

    def updated(self, update: Update) -> list[str]:
        """None: Twilio takes no such messages."""
        return []

    def ended(self) -> list[str]:
        """None."""
        return []

    def refused(self, reason: str) -> list[str]:
        """None: closing the connection is all there is."""
        return []

    def _is_next(self, message: dict[str, Any]) -> bool:
        """Whether this is news: messages are numbered, and one may come twice."""
        number = take_count(message, "sequenceNumber", _NAME)
        if number <= self._sequence:
            return False
        self.n_lost += number - self._sequence - 1 if self._stream_sid is not None else 0
        self._sequence = number
        return True

    def _start(self, message: dict[str, Any]) -> Started:
        if self._stream_sid is not None:
            raise InputError(f"{_NAME}: a second start")
        start = take_object(message, "start", _NAME)
        form = take_object(start, "mediaFormat", _NAME)
        if (form.get("encoding"), form.get("sampleRate"), form.get("channels")) != _FORMAT:
            raise InputError(f"{_NAME}: mediaFormat must be audio/x-mulaw, 8000 Hz, one channel")
        named = start.get("tracks")
        if not isinstance(named, list) or not named or any(t not in _TRACKS for t in named):
            raise InputError(f"{_NAME}: tracks must be inbound, outbound or both")
        call_id = take_name(start, "callSid", _NAME)
        self._stream_sid = take_name(start, "streamSid", _NAME)
        self._tracks = tuple(track for track in _TRACKS if track in named)
        parameters = start.get("customParameters")
        key = parameters.get(KEY_PARAMETER) if isinstance(parameters, dict) else None
        options = StreamOptions(
            tracks=self._tracks,
            prior_fake=self._prior_fake,
            stop_at=self._stop_at,
            name=call_id,
        )
        return Started(call_id=call_id, options=options, key=key if isinstance(key, str) else None)

    def _media(self, message: dict[str, Any]) -> list[Event]:
        self._require_started("media")
        if message.get("streamSid") != self._stream_sid:
            raise InputError(f"{_NAME}: media of another stream")
        media = take_object(message, "media", _NAME)
        track = take_name(media, "track", _NAME)
        if track not in self._tracks:
            raise InputError(f"{_NAME}: media of track {track!r}, which start did not name")
        chunk = take_count(media, "chunk", _NAME)
        if chunk <= self._chunks.get(track, 0):
            return []  # a repetition, or too late to be put in its place
        self._chunks[track] = chunk
        at_s = take_count(media, "timestamp", _NAME) / 1000
        return [Sound(_decoded(media), track, at_s)]

    def _require_started(self, event: str) -> None:
        if self._stream_sid is None:
            raise InputError(f"{_NAME}: {event} before start")


def _decoded(media: dict[str, Any]) -> bytes:
    payload = media.get("payload")
    if not isinstance(payload, str):
        raise InputError(f"{_NAME}: payload must be base64")
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"{_NAME}: payload must be base64") from error
