"""What a protocol tells whoever serves it, and the seam it stands behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from avdetect.streaming.options import StreamOptions
from avdetect.streaming.updates import Update

MAX_MESSAGE_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A call begins.

    Attributes:
        call_id: the sender's own name for the call.
        options: its sound, and what is asked.
        key: an API key sent within the protocol, by senders that cannot set headers.
    """

    call_id: str
    options: StreamOptions
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Sound:
    """Sound of one track, or of all interleaved (None), at a time on the sender's clock."""

    data: bytes
    track: str | None = None
    at_s: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A text message to be sent at once."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over; what is still to be said is said now."""


Event = Started | Sound | Reply | Ended


class CallProtocol(Protocol):
    """One connection's state; what it does not know is passed over, because senders grow."""

    def receive(self, message: str | bytes) -> list[Event]:
        """Take one message, text or binary.

        Raises:
            InputError: the sender does not speak this protocol.
        """
        ...

    def updated(self, update: Update) -> list[str]:
        """Messages that tell the sender what was judged; none where the protocol has no word."""
        ...

    def ended(self) -> list[str]:
        """Messages to send after the last update."""
        ...

    def refused(self, reason: str) -> list[str]:
        """Messages to send before the connection is closed for ``reason``."""
        ...
