"""What clients ask and what they make of the answers; no connection is made here.

The blocking and the asynchronous client differ in how they wait, so all that does not wait is here.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx
from pydantic import ValidationError

from avdetect.client.wire import Problem
from avdetect.errors import InputNotFoundError, ServiceError, UsageError

Media = str | os.PathLike[str] | bytes | IO[bytes]

MOST_TRIES = 8
_WORTH_ANOTHER_TRY = frozenset((429, 502, 503, 504, 507))
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request.

    Attributes:
        method: of HTTP.
        path: below the service's address.
        params: of the query.
        headers: beside those of every request.
        content: None without a body.
        wait_s: seconds the service may take beyond the usual.
    """

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    wait_s: float = 0.0


def submission(
    media: Media, options: Mapping[str, Any], idempotency_key: str | None, webhook: str | None
) -> Ask:
    """Hand in a clip. It gets a key of its own if none is given, so that it can be tried again.

    Raises:
        InputNotFoundError: no such file, or it cannot be read.
    """
    params = {**options, "webhook": webhook}
    suffix = (
        Path(os.fspath(media)).suffix.lstrip(".") if isinstance(media, str | os.PathLike) else ""
    )
    if suffix.isascii() and suffix.isalnum():
        params["suffix"] = suffix.lower()[:8]
    return Ask(
        method="POST",
        path="/v1/scans",
        params={name: value for name, value in params.items() if value is not None},
        headers={
            "Content-Type": "application/octet-stream",
            "Idempotency-Key": idempotency_key or secrets.token_hex(16),
        },
        content=_content(media),
    )


def _content(media: Media) -> bytes:
    if isinstance(media, bytes):
        return media
    if isinstance(media, str | os.PathLike):
        try:
            return Path(media).read_bytes()
        except OSError as error:
            message = f"{os.fspath(media)}: cannot be read: {error.strerror}"
            raise InputNotFoundError(message) from error
    return media.read()


def looking(scan_id: str, wait_s: float = 0.0) -> Ask:
    """See a scan, waiting at the service for its verdict."""
    params = {"wait": wait_s} if wait_s else {}
    return Ask(method="GET", path=f"/v1/scans/{scan_id}", params=params, wait_s=wait_s)


def listing(filters: Mapping[str, Any]) -> Ask:
    """List scans."""
    params = {name: value for name, value in filters.items() if value is not None}
    return Ask(method="GET", path="/v1/scans", params=params)


def pause_s(answer: httpx.Response | None, tries: int) -> float | None:
    """Seconds to wait before trying again; None if the answer is final.

    Args:
        answer: None where none came.
        tries: made so far.
    """
    if tries >= MOST_TRIES or (answer is not None and answer.status_code not in _WORTH_ANOTHER_TRY):
        return None
    said = answer.headers.get("Retry-After", "") if answer is not None else ""
    if said.isascii() and said.isdigit():
        return min(float(said), _LONGEST_PAUSE_S)
    return min(_FIRST_PAUSE_S * 2.0 ** (tries - 1), _LONGEST_PAUSE_S)


def checked(answer: httpx.Response) -> httpx.Response:
    """The answer, if it is no refusal.

    Raises:
        UsageError: the request makes no sense to the service.
        ServiceError: it refused or failed; ``code`` says which.
    """
    if answer.is_success:
        return answer
    try:
        problem = Problem.model_validate_json(answer.content).error
        code, message = problem.code, problem.message
    except ValidationError:
        code, message = "http", f"the service answered {answer.status_code}"
    if code == "usage":
        raise UsageError(message)
    error = ServiceError(message)
    error.code = code
    raise error


def unreachable(error: httpx.HTTPError) -> ServiceError:
    """What to raise when no answer came."""
    return ServiceError(f"the service cannot be reached: {type(error).__name__}")
