"""Every error a user can cause, as one tree.

    AvdetectError                 code, exit_code
    ├── UsageError                an option or argument makes no sense (exit code 2)
    ├── InputError                this file or stream cannot be judged (exit code 3)
    │   ├── InputNotFoundError    nothing is there, or it may not be read
    │   ├── UnreadableMediaError  there, but no audio or picture can be decoded from it
    │   ├── InputLimitError       decodable, but beyond a stated limit
    │   └── SealError             the seal of a recording is absent, damaged or not to be trusted
    ├── CheckpointError           a model is absent, damaged or of another layout (exit code 2)
    ├── DataNotFoundError         the training or evaluation data is not where it was looked for
    ├── ServiceError              the service refused a request, or cannot be reached
    ├── OutputError               a report or result file could not be written whole
    └── ShapeError                a tensor at a public door has the wrong shape (a caller's bug)

Every message is one line, names the file or option, and says what to do.
"""

from __future__ import annotations


class AvdetectError(Exception):
    """Root of the tree; ``code`` is stable and goes on the wire, ``exit_code`` to the shell."""

    code: str = "error"
    exit_code: int = 3


class UsageError(AvdetectError):
    """An option or argument makes no sense; nothing was judged."""

    code = "usage"
    exit_code = 2


class InputError(AvdetectError):
    """This input cannot be judged; others of the same call still can."""

    code = "input"


class InputNotFoundError(InputError):
    """Nothing is at that path, or it may not be read."""

    code = "not_found"


class UnreadableMediaError(InputError):
    """The input is there, but neither sound nor picture can be decoded from it."""

    code = "unreadable_media"


class InputLimitError(InputError):
    """The input is beyond a stated limit, such as the largest picture decoded."""

    code = "limit"


class SealError(InputError):
    """The seal of a recording is absent, damaged, tampered with or of an untrusted key."""

    code = "seal"


class CheckpointError(AvdetectError):
    """A model is absent, damaged or of another layout."""

    code = "checkpoint"
    exit_code = 2


class DataNotFoundError(AvdetectError):
    """Training or evaluation data is not where ``$AVDETECT_DATA`` points."""

    code = "data_not_found"
    exit_code = 2


class OutputError(AvdetectError):
    """A report or result file could not be written whole; nothing partial was left."""

    code = "output"
    exit_code = 2


class ServiceError(AvdetectError):
    """The service refused a request or cannot be reached; ``code`` is the service's own."""

    code = "service"


class ShapeError(AvdetectError, ValueError):
    """A tensor handed to a public function has the wrong shape or dtype."""

    code = "shape"
