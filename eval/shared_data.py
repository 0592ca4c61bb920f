"""Where training and evaluation data lie: the one place that reads ``$AVDETECT_DATA``."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from avdetect.errors import DataNotFoundError

_DEFAULT = Path(__file__).resolve().parents[2] / "shared"


def shared_root() -> Path:
    """Folder given by ``$AVDETECT_DATA``, default ``../shared`` beside the repository."""
    return Path(os.environ.get("AVDETECT_DATA", _DEFAULT))


def shared_path(relative: str) -> Path:
    """A path below `shared_root`; raises `DataNotFoundError` where nothing is there."""
    path = shared_root() / relative
    if not path.exists():
        raise DataNotFoundError(f"{path} is not there: point $AVDETECT_DATA at the data folder")
    return path


def read_rows(relative: str) -> list[dict[str, str]]:
    """Rows of a CSV below `shared_root`, as dicts."""
    with shared_path(relative).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
