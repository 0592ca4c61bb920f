"""Signatures of webhook calls, as the Standard Webhooks specification has them (version 1)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping

from avdetect.errors import ServiceError

_TOLERANCE_S = 300


def sign(secret: str, message_id: str, body: bytes, *, now: float | None = None) -> dict[str, str]:
    """The headers that prove who sent a body and when.

    Args:
        secret: shared by both sides, any text.
        message_id: the same for every try of one call, so that a receiver can tell repeats.
        body: as it is sent.
        now: seconds since 1970; the clock's unless given.
    """
    timestamp = str(int(time.time() if now is None else now))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{_mac(secret, message_id, timestamp, body)}",
    }


def verify_webhook(
    secret: str, headers: Mapping[str, str], body: bytes, *, now: float | None = None
) -> None:
    """Check that a call came from the service, unchanged, within the last five minutes.

    Args:
        secret: the service's ``$AVDETECT_WEBHOOK_SECRET``.
        headers: of the call; names in lower case, or a mapping that ignores case.
        body: the bytes received.
        now: seconds since 1970; the clock's unless given.

    Raises:
        ServiceError: it did not; do not act on it.
    """
    try:
        message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
        given = headers["webhook-signature"].split()
        age_s = (time.time() if now is None else now) - int(timestamp)
    except (KeyError, ValueError) as error:
        raise ServiceError("the webhook call is not signed") from error
    expected = f"v1,{_mac(secret, message_id, timestamp, body)}".encode()
    if not any(hmac.compare_digest(expected, each.encode()) for each in given):
        raise ServiceError("the webhook call's signature is wrong")
    if abs(age_s) > _TOLERANCE_S:
        raise ServiceError("the webhook call is too old: it may be a recorded one")


def _mac(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256)).decode()
