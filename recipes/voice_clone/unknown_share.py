"""What it costs, and what it saves, to expect fakes that score as human speech does.

python -m recipes.voice_clone.unknown_share

Cllr of every procedure of `recipes.voice_clone.folds`, from its score file, with the calibrations
of the other folds as `recipes.out_of_fold` fits them, for several shares of such fakes (``unknown``
of `avdetect.calibration.Calibration`). What ships is the largest that costs the line ``pool``
nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from eval.manifest.row import ManifestRow
from eval.metrics import cllr
from eval.out_of_fold import OutOfFold, read_out_of_fold
from recipes.calibrate import UNKNOWN_FAKES
from recipes.datasets.voices import is_fake
from recipes.out_of_fold import with_llrs
from recipes.voice_clone.folds import OUT_OF_FOLD
from recipes.voice_clone.rows import voice_rows

SHARES = (0.0, 0.05, UNKNOWN_FAKES, 0.2, 0.3)


def cllr_by_share(
    scored: Sequence[OutOfFold], truth: Mapping[str, ManifestRow], share: float
) -> dict[str, float]:
    """Procedure -> Cllr in bits of what was judged."""
    found: dict[str, list[tuple[int, float]]] = {}
    for entry in with_llrs(scored, truth, unknown=share):
        if entry.fake_llr is not None:
            label = int(is_fake(truth[entry.id]))
            found.setdefault(entry.procedure, []).append((label, entry.fake_llr))
    return {name: cllr(*zip(*pairs, strict=True)) for name, pairs in found.items()}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scores", type=Path, default=OUT_OF_FOLD, help="of the folds")
    scored = read_out_of_fold(parser.parse_args().scores)
    truth = {row.id: row for row in voice_rows()}
    columns = [cllr_by_share(scored, truth, share) for share in SHARES]
    print("| Cllr at a share of | " + " | ".join(f"{share:g}" for share in SHARES) + " |")
    print("|---" * (len(SHARES) + 1) + "|")
    for procedure in columns[0]:
        cells = " | ".join(f"{column[procedure]:.3f}" for column in columns)
        print(f"| {procedure} | {cells} |")


if __name__ == "__main__":
    main()
