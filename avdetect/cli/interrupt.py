"""Ctrl-C that is never lost: an exception raised inside a library's callback may be swallowed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Checkpoint = Callable[[], None]


@contextmanager
def interruptible() -> Iterator[Checkpoint]:
    """Within, Ctrl-C raises ``KeyboardInterrupt``, and the checkpoint given raises it again.

    Outside the main thread, where signals do not arrive, the checkpoint does nothing.
    """
    pressed = threading.Event()

    def press(number: int, frame: FrameType | None) -> None:
        pressed.set()
        raise KeyboardInterrupt

    def check() -> None:
        if pressed.is_set():
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield check
        return
    before = signal.signal(signal.SIGINT, press)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)
