"""Run the shipped branches over the measured talking heads once and keep their rows.

    python -m recipes.fusion.measured_rows [--shard 0/2]

Every clip of the protocol's measured folds as it is, and forged variants of its real ones, in
``runs/fusion/measured_rows/``. Nothing is trained on these rows: `recipes.fusion.calibrate` fits a
handful of numbers on some folds of them and measures on the others.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from rich.progress import track

from avdetect.errors import UsageError
from eval.protocol import Protocol, read_protocol
from eval.splits import Row, video_split
from recipes.datasets.talking_heads import load_clip
from recipes.fusion.rows import (
    RUN,
    Sample,
    claim_folder,
    forge_rows,
    load_branches,
    read_rows_file,
    row_path,
    write_rows_file,
)
from recipes.fusion.variants import observations

FOLDER = RUN / "measured_rows"
AS_IT_IS = "real"  # the variant without a forgery; the clip itself may be another's fake


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A clip of a measured fold, as it is or forged.

    Attributes:
        row: its line in ``clips.csv``.
        fold: of the protocol.
        sample: what the branches saw; its variant is `AS_IT_IS` or a key of ``VARIANTS``.
    """

    row: Row
    fold: str
    sample: Sample

    @property
    def forged(self) -> bool:
        """A variant of a real clip that we forged."""
        return self.sample.variant != AS_IT_IS


def measured_samples(protocol: Protocol) -> list[Measured]:
    """Every clip of the list and its forged variants, in order.

    Raises:
        UsageError: a clip has no rows yet: figures over the others would not be those of the list.
    """
    fold_of = _folds_by_source(protocol)
    samples = []
    for row in _clips():
        path = row_path(row["file"], FOLDER)
        if not path.is_file():
            raise UsageError(f"{path}: not made yet; run python -m recipes.fusion.measured_rows")
        fold = fold_of[row["source_repo"]]
        samples += [Measured(row=row, fold=fold, sample=s) for s in read_rows_file(path, row)]
    return samples


def main() -> None:
    """Make all rows that are not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shard", default="0/1", help="K/N: every Nth clip from the Kth on")
    first, step = map(int, parser.parse_args().shard.split("/"))
    branches, hashes = load_branches()
    claim_folder(FOLDER, hashes)
    rows, fold_of = _clips(), _folds_by_source(read_protocol("video"))
    speaking = [row for row in rows if row["label"] == "real" and row["has_audio"] == "yes"]
    for row in track(rows[first::step], description="measured clips"):
        path = row_path(row["file"], FOLDER)
        if path.is_file():
            continue
        clip = load_clip(row["file"])
        seen = list(observations(clip)) if len(clip.frame_index) else []
        said = {name: branch.run(seen) for name, branch in branches.items()}
        variants = {
            AS_IT_IS: [
                (o, {name: found[k] for name, found in said.items()}) for k, o in enumerate(seen)
            ]
        }
        if row in speaking:
            # Foreign speech of the same fold: who fits on a fold hears nobody of another.
            fold = fold_of[row["source_repo"]]
            beside = [other for other in speaking if fold_of[other["source_repo"]] == fold]
            made = forge_rows(row, beside, branches)
            variants |= {name: windows for name, windows in made.items() if name != "real"}
        write_rows_file(path, variants)


def _folds_by_source(protocol: Protocol) -> dict[str, str]:
    return {source: fold for fold, sources in protocol.folds.items() for source in sources}


def _clips() -> Sequence[Row]:
    return video_split()[1]


if __name__ == "__main__":
    main()
