"""Run an archive on the Ray cluster at ADDRESS with the known judge, as a program of its own.

Its arguments: ADDRESS INPUTS OUT DIARY PAUSE_S.
"""

from __future__ import annotations

import sys
from pathlib import Path

from avdetect.archive import run_archive
from avdetect.archive.ray_engine import ClusterShare, RayEngine
from tests.archive.known import KnownSpec, request


def main() -> None:
    address, inputs, out, diary, pause_s = sys.argv[1:]
    spec = KnownSpec(Path(diary), pause_s=float(pause_s))
    share = ClusterShare(address=address, actors=2)
    summary = run_archive(
        request(inputs, Path(out)), lambda n_inputs: RayEngine(spec, share), lambda progress: None
    )
    sys.stdout.write(f"{summary.tally.n_rows}\n")


if __name__ == "__main__":
    main()
