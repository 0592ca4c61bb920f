"""Keep the terminal and the results for ourselves while libraries work."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import TextIO


def open_closed_streams() -> None:
    """Open the standard streams that whoever started us closed (``>&-``): read nothing, drop all.

    Python has None for them, which nobody expects, and the next file opened would take their place.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))


@contextmanager
def own_streams() -> Iterator[TextIO]:
    """Give the stream for results; within the block nobody else writes to it.

    Native libraries write their chatter straight to file descriptors 1 and 2, where it would land
    in the JSON or between the verdicts: it is dropped, with Python's warnings. What Python code
    prints goes to standard error. ``AVDETECT_DEBUG`` lets everything through to standard error.
    """
    with ExitStack() as stack:
        if not os.environ.get("AVDETECT_DEBUG"):
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            stack.enter_context(_moved("stdout", 1))
            stack.enter_context(_moved("stderr", 2))
        results = sys.stdout
        stack.enter_context(redirect_stdout(sys.stderr))
        yield results


@contextmanager
def _moved(name: str, descriptor: int) -> Iterator[None]:
    """Give the Python stream a descriptor of its own and point the well-known one at nothing."""
    stream = getattr(sys, name)
    try:
        stands_there = stream.fileno() == descriptor
    except (OSError, ValueError, AttributeError):  # captured, closed or absent
        stands_there = False
    if not stands_there:
        yield
        return
    stream.flush()
    kept = os.dup(descriptor)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, descriptor)
    os.close(nothing)
    own = os.fdopen(
        kept, "w", buffering=1, encoding=stream.encoding, errors=stream.errors, closefd=False
    )
    setattr(sys, name, own)
    try:
        yield
    finally:
        setattr(sys, name, stream)
        with suppress(BrokenPipeError):
            own.close()
        os.dup2(kept, descriptor)
        os.close(kept)
