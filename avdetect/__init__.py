"""avdetect: one clip in, one calibrated verdict out, with the evidence.

from avdetect import Detector

detector = Detector.load()
verdict = detector.scan("call.wav")
print(verdict.decision, verdict.fake_llr)
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from avdetect.errors import (
    AvdetectError,
    CheckpointError,
    InputError,
    InputLimitError,
    InputNotFoundError,
    OutputError,
    UnreadableMediaError,
    UsageError,
)
from avdetect.types import Decision, Segment

if TYPE_CHECKING:
    from avdetect.detector import Detector, Examination
    from avdetect.verdict import Evidence, Verdict

__version__ = version("avdetect")

__all__ = [
    "AvdetectError",
    "CheckpointError",
    "Decision",
    "Detector",
    "Evidence",
    "Examination",
    "InputError",
    "InputLimitError",
    "InputNotFoundError",
    "OutputError",
    "Segment",
    "UnreadableMediaError",
    "UsageError",
    "Verdict",
    "__version__",
]

# Loaded when first asked for: torch takes seconds, and `avdetect --help` must not wait for it.
_LAZY = {
    "Detector": "avdetect.detector",
    "Examination": "avdetect.detector",
    "Evidence": "avdetect.verdict",
    "Verdict": "avdetect.verdict",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
