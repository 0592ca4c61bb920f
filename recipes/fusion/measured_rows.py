"""Run the shipped branches over the measured talking heads once and keep their rows.

    python -m recipes.fusion.measured_rows [--shard 0/2]

Every clip of the protocol's measured folds as it is and recompressed, forged variants of its real
ones, and every true picture forged, in ``runs/fusion/measured_rows/``. Nothing is trained on
these rows: `recipes.fusion.calibrate` fits a handful of numbers on some folds and measures on the
others.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from rich.progress import track

from avdetect.branches.base import Branch, BranchOutput
from avdetect.errors import UsageError
from avdetect.fusion.subjects import FACE
from avdetect.judgement import run_branches
from avdetect.observation import Observation
from eval.protocol import Protocol, read_protocol
from eval.splits import Row, video_split
from recipes.datasets.talking_heads import TalkingHeadClip, load_clip
from recipes.forge.picture_channel import h264
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
from recipes.fusion.variants import forge_faces_by_chance, observations

FOLDER = RUN / "measured_rows"
AS_IT_IS = "real"  # the variant without a forgery; the clip itself may be another's fake
RECOMPRESSED = "recompressed"  # the same, its face crops through H.264 as poor as any in the field
REFACED = "refaced"  # a true picture with a forged face
REFACED_RECOMPRESSED = "refaced_recompressed"
_OF_THE_PICTURE = (RECOMPRESSED, REFACED, REFACED_RECOMPRESSED)
_POOR_CRF = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A clip of a measured fold, as it is or forged.

    Attributes:
        row: its line in ``clips.csv``.
        fold: of the protocol.
        sample: what the branches saw; its variant is `AS_IT_IS`, `RECOMPRESSED`, `REFACED`,
            `REFACED_RECOMPRESSED` or a key of ``VARIANTS``.
    """

    row: Row
    fold: str
    sample: Sample

    @property
    def as_it_is(self) -> bool:
        """The clip and nothing done to it: what figures are of."""
        return self.sample.variant == AS_IT_IS

    @property
    def picture_alone(self) -> bool:
        """What teaches the picture branch alone; of sound and synchrony it says nothing new."""
        return self.sample.variant in _OF_THE_PICTURE

    @property
    def forged(self) -> bool:
        """A variant that we forged."""
        return self.sample.variant not in (AS_IT_IS, RECOMPRESSED)


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
        variants = {AS_IT_IS: _windows(clip, branches)}
        if len(clip.faces):
            variants |= {
                name: _windows(changed, {FACE: branches[FACE]})
                for name, changed in pictures_of(clip, row).items()
            }
        if row in speaking:
            # Foreign speech of the same fold: who fits on a fold hears nobody of another.
            fold = fold_of[row["source_repo"]]
            beside = [other for other in speaking if fold_of[other["source_repo"]] == fold]
            made = forge_rows(row, beside, branches)
            variants |= {name: windows for name, windows in made.items() if name != "real"}
        write_rows_file(path, variants)


def pictures_of(clip: TalkingHeadClip, row: Row) -> dict[str, TalkingHeadClip]:
    """The clip with other pictures: recompressed, and, where it has a true face, a forged one."""
    found = {RECOMPRESSED: recompressed(clip)}
    if row["video_label"] == "real":
        rng = np.random.default_rng(zlib.crc32(f"refaced {row['file']}".encode()))
        found[REFACED] = replace(clip, faces=forge_faces_by_chance(clip, rng))
        found[REFACED_RECOMPRESSED] = recompressed(found[REFACED])
    return found


def recompressed(clip: TalkingHeadClip) -> TalkingHeadClip:
    """A clip whose face crops went through H.264 at the grid's poorest rate."""
    return replace(
        clip, faces=np.stack([h264(face, _POOR_CRF, predicted=True) for face in clip.faces])
    )


def _windows(
    clip: TalkingHeadClip, branches: Mapping[str, Branch]
) -> list[tuple[Observation, dict[str, list[BranchOutput]]]]:
    """Each observation of a clip, with what every branch says of it."""
    seen = list(observations(clip)) if len(clip.frame_index) else []
    return list(zip(seen, run_branches(branches, seen), strict=True))


def _folds_by_source(protocol: Protocol) -> dict[str, str]:
    return {source: fold for fold, sources in protocol.folds.items() for source in sources}


def _clips() -> Sequence[Row]:
    return video_split()[1]


if __name__ == "__main__":
    main()
