"""What the service answers instead of doing something: one status, one code, one sentence."""

from __future__ import annotations

from avdetect.client.wire import Problem
from avdetect.verdict import Failure


class RefusedError(Exception):
    """Ends a request with an error; made by the functions below, which are all there are."""

    def __init__(
        self, status: int, code: str, message: str, *, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
        if status == 401:
            self.headers["WWW-Authenticate"] = "Bearer"

    @property
    def problem(self) -> Problem:
        """The body of the answer."""
        return Problem(error=Failure(code=self.code, message=self.message))


def not_authenticated() -> RefusedError:
    """No key, or none that is valid."""
    return RefusedError(401, "key", "give a valid API key: Authorization: Bearer avd_…")


def not_allowed(scope: str) -> RefusedError:
    """The key lacks a scope."""
    return RefusedError(403, "scope", f"this key may not {scope}: ask for one with that scope")


def no_such_scan() -> RefusedError:
    """Nothing there that this key may see."""
    message = "no such scan: it was deleted, expired, or is another owner's"
    return RefusedError(404, "not_found", message)


def not_done() -> RefusedError:
    """The scan has no verdict yet."""
    return RefusedError(409, "not_done", "the scan is not done yet: wait for it with ?wait=30")


def too_slow(seconds: float) -> RefusedError:
    """The upload did not end in time."""
    return RefusedError(408, "timeout", f"the upload took longer than {seconds:g} s")


def too_large(most_bytes: int) -> RefusedError:
    """The upload is over the limit."""
    return RefusedError(413, "limit", f"the clip is larger than {most_bytes >> 20} MiB: cut it")


def wrong_body(message: str) -> RefusedError:
    """The body cannot be read."""
    return RefusedError(400, "body", message)


def packed_body() -> RefusedError:
    """The body is compressed, which could unpack to anything."""
    return RefusedError(415, "encoding", "send the clip as it is, without Content-Encoding")


def wrong_value(message: str) -> RefusedError:
    """A parameter makes no sense."""
    return RefusedError(422, "usage", message)


def key_reused() -> RefusedError:
    """The Idempotency-Key belongs to another request."""
    return RefusedError(
        422, "idempotency_key", "this Idempotency-Key was used with another clip or other options"
    )


def queue_full(retry_after_s: int) -> RefusedError:
    """More scans wait than the service takes on."""
    return RefusedError(
        429, "queue_full", "too many scans are waiting: try again", retry_after_s=retry_after_s
    )


def no_space() -> RefusedError:
    """The disk is full."""
    return RefusedError(
        507, "disk_full", "the service has no disk space left: try later", retry_after_s=60
    )


def no_database() -> RefusedError:
    """The database does not answer."""
    message = "the database is not available: try again"
    return RefusedError(503, "database", message, retry_after_s=5)


def not_ready() -> RefusedError:
    """The service runs, but should get no requests now."""
    return RefusedError(503, "not_ready", "less than 64 MiB of disk space are left")
