"""What the shell is told; errors bring their own code (`avdetect.errors`)."""

from __future__ import annotations

OK = 0
FAIL_ON = 1
USAGE = 2
NOT_JUDGED = 3
INTERRUPTED = 130  # 128 + SIGINT
BROKEN_PIPE = 141  # 128 + SIGPIPE
