"""Reading JSON of strangers: every field is checked where it is taken."""

from __future__ import annotations

import json
from typing import Any

from avdetect.errors import InputError, InputLimitError
from avdetect.streaming.protocols.events import MAX_MESSAGE_BYTES

_LONGEST_NAME = 200


def read_object(message: str | bytes, protocol: str) -> dict[str, Any]:
    """The JSON object that a text message holds.

    Raises:
        InputError: it is binary, no JSON, or no object.
        InputLimitError: it is longer than any message of a live call.
    """
    if isinstance(message, bytes):
        raise InputError(f"{protocol}: a binary message where text was due")
    if len(message) > MAX_MESSAGE_BYTES:
        raise InputLimitError(f"{protocol}: a message of over {MAX_MESSAGE_BYTES} characters")
    try:
        found = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{protocol}: a message that is no JSON") from error
    if not isinstance(found, dict):
        raise InputError(f"{protocol}: a message that is no JSON object")
    return found


def take_object(message: dict[str, Any], name: str, protocol: str) -> dict[str, Any]:
    """A field that holds an object."""
    found = message.get(name)
    if not isinstance(found, dict):
        raise InputError(f"{protocol}: {name} must be an object")
    return found


def take_name(message: dict[str, Any], name: str, protocol: str) -> str:
    """A field that holds a name: printable text of some length."""
    found = message.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_NAME or not found.isprintable():
        raise InputError(f"{protocol}: {name} must be a name of up to {_LONGEST_NAME} characters")
    return found


def take_count(message: dict[str, Any], name: str, protocol: str) -> int:
    """A field that counts, as a number or in digits."""
    found = message.get(name)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 16:
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < 1 << 53:
        raise InputError(f"{protocol}: {name} must be a whole number from 0")
    return found


def take_seconds(message: dict[str, Any], name: str, protocol: str) -> float:
    """A field that holds seconds, not negative."""
    found = message.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < 1e9:
        raise InputError(f"{protocol}: {name} must be a number of seconds from 0")
    return float(found)
