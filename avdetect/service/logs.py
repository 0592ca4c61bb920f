"""Structured logs: one JSON object per line on standard error, without customers' names in it.

Only fields that code here names are written: ids, routes as templates, statuses, durations, kinds
of errors. Messages of exceptions, addresses and query strings are not: they may hold anything.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

LOGGER = logging.getLogger("avdetect.service")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """One line: time, level, event, and the fields given with it."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage() if record.name == LOGGER.name else record.name,
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            line["trace"] = [f"{frame.name}:{frame.lineno}" for frame in frames]
        return json.dumps(line)


def log(event: str, *, level: int = logging.INFO, error: bool = False, **facts: object) -> None:
    """Write one line.

    Args:
        event: a fixed word, such as ``scan.done``.
        level: of `logging`.
        error: add kind and place of the exception being handled, not its message.
        facts: JSON values; never a file's or customer's name.
    """
    LOGGER.log(level, event, exc_info=error, extra={"facts": facts})


def start_logging() -> None:
    """Send this process's logs to standard error as JSON lines; libraries' when they warn."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    LOGGER.setLevel(logging.INFO)
