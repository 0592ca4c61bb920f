"""What the shell is told; errors bring their own code (`avdetect.errors`)."""

from __future__ import annotations

OK = 0
FAIL_ON = 1
USAGE = 2
NOT_JUDGED = 3
SAME_CONTENT = 4  # of a sealed recording, in other bytes
INTERRUPTED = 130  # 128 + SIGINT
BROKEN_PIPE = 141  # 128 + SIGPIPE
