"""``python -m avdetect`` is the command ``avdetect``."""

from __future__ import annotations

from avdetect.cli import main

if __name__ == "__main__":
    main()
