"""Keep native libraries from writing their start-up chatter over a user's terminal."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_native_import() -> Iterator[None]:
    """Import mediapipe and its relatives without their log lines and deprecation warnings.

    Only environment defaults that the user has not set are given; they are read at import.
    """
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
