"""Run an archive with the known judge, as a program of its own that can be killed.

Its arguments: INPUTS OUT DIARY PAUSE_S.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.archive.known import KnownSpec, request, run_locally


def main() -> None:
    inputs, out, diary, pause_s = sys.argv[1:]
    run_locally(request(inputs, Path(out)), KnownSpec(Path(diary), pause_s=float(pause_s)))


if __name__ == "__main__":
    main()
