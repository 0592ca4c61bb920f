"""Run the shipped branches over forged variants once and keep their rows.

    python -m recipes.fusion.rows [--shard 0/2]

Each clip becomes ``runs/fusion/rows/<clip>.npz``; a clip that is there is not made again. The
folder belongs to one set of branch checkpoints and is refused with any other.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track

from avdetect.branches import BRANCHES
from avdetect.branches.base import Branch, BranchOutput
from avdetect.calibration import Calibration
from avdetect.checkpoint import load_checkpoint, read_bundle
from avdetect.errors import UsageError
from avdetect.judgement import run_branches
from avdetect.observation import Observation
from avdetect.types import Part, Segment
from eval.shared_data import read_rows
from eval.splits import Row, video_split
from recipes.datasets.talking_heads import cache_path, load_clip
from recipes.fusion.variants import VARIANTS, Draws, forge_variant, observations

RUN = Path(__file__).resolve().parents[2] / "runs" / "fusion"
ROWS = RUN / "rows"
_FORGED_PER_CLIP = 3
Variants = Mapping[str, list[tuple[Observation, dict[str, list[BranchOutput]]]]]
_FIELDS = ("segments", "scores", "tokens", "weights")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One variant of one clip as the branches saw it.

    Attributes:
        file, group: the clip, and its identity (source where unknown).
        variant: key of `VARIANTS`.
        windows: per observation its segment and branch -> outputs.
    """

    file: str
    group: str
    variant: str
    windows: list[tuple[Segment, dict[str, list[BranchOutput]]]]


def training_clips() -> list[Row]:
    """Real talking heads with sound that may train: ``sync.csv`` and the development rows."""
    development, _ = video_split()
    rows = [row for row in development if row["has_audio"] == "yes" and not row["note"]]
    return [row for row in (*read_rows("data/video/sync.csv"), *rows) if _prepared(row)]


def group_of(row: Row) -> str:
    """Whom a clip belongs to, for splits and bootstrap."""
    return row["identity"] or row["source_repo"]


def load_branches() -> tuple[dict[str, Branch], dict[str, str]]:
    """The default bundle's branches and their hashes."""
    torch.set_num_threads(1)
    names = read_bundle().checkpoints
    loaded = {branch: load_checkpoint(names[branch]) for branch in BRANCHES}
    cpu = torch.device("cpu")
    return (
        {branch: build(loaded[branch], cpu) for branch, build in BRANCHES.items()},
        {branch: checkpoint.card.weights_sha256 for branch, checkpoint in loaded.items()},
    )


def branch_calibrations() -> dict[str, Calibration]:
    """The default bundle's calibrations of the branches."""
    names = read_bundle().checkpoints
    found = {branch: load_checkpoint(names[branch]).calibration for branch in BRANCHES}
    return {branch: calibration for branch, calibration in found.items() if calibration is not None}


def main() -> None:
    """Make all rows that are not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shard", default="0/1", help="K/N: every Nth clip from the Kth on")
    first, step = map(int, parser.parse_args().shard.split("/"))
    branches, hashes = load_branches()
    claim_folder(ROWS, hashes)
    clips = training_clips()
    for row in track(clips[first::step], description="variants"):
        path = row_path(row["file"])
        if not path.is_file():
            write_rows_file(path, forge_rows(row, clips, branches))


def row_path(file: str, folder: Path = ROWS) -> Path:
    """Where a clip's rows lie."""
    return folder / (file.replace("/", "__") + ".npz")


def load_samples() -> list[Sample]:
    """All samples made so far, in the order of the lists."""
    return [
        sample
        for row in training_clips()
        if row_path(row["file"]).is_file()
        for sample in read_rows_file(row_path(row["file"]), row)
    ]


def _prepared(row: Row) -> bool:
    return cache_path(row["file"]).is_file()


def claim_folder(folder: Path, hashes: Mapping[str, str]) -> None:
    """Make a folder of rows, or refuse it if other branch weights made it."""
    folder.mkdir(parents=True, exist_ok=True)
    owner = folder / "branches.json"
    if not owner.is_file():
        owner.write_text(json.dumps(hashes))
    elif json.loads(owner.read_text()) != hashes:
        raise UsageError(
            f"{folder}: made with other branch weights; delete the folder to start anew"
        )


def forge_rows(row: Row, clips: Sequence[Row], branches: Mapping[str, Branch]) -> Variants:
    """A real clip and forged variants of it as the branches see them.

    Args:
        row: a real clip with sound.
        clips: real clips to take foreign speech from; those of the same group are passed over.
        branches: the branches by name.

    Returns:
        Variant -> observations with what each branch says of them; empty without a face or sound.
    """
    seed = int.from_bytes(hashlib.sha256(row["file"].encode()).digest()[:4], "big")
    rng = np.random.default_rng(seed)
    clip = load_clip(row["file"])
    if not len(clip.frame_index) or not len(clip.audio):
        return {}
    strangers = [other for other in clips if group_of(other) != group_of(row)]
    other = load_clip(strangers[int(rng.integers(len(strangers)))]["file"])
    draws = Draws.draw(rng)
    forged = rng.choice([v for v in VARIANTS if v != "real"], _FORGED_PER_CLIP, replace=False)
    seen = {
        str(variant): list(observations(forge_variant(str(variant), clip, other, draws)))
        for variant in ("real", *forged)
    }
    flat = [observation for found in seen.values() for observation in found]
    said = iter(run_branches(branches, flat))
    return {variant: [(o, next(said)) for o in found] for variant, found in seen.items()}


def write_rows_file(path: Path, variants: Variants) -> None:
    """Write one clip's variants whole or not at all."""
    arrays: dict[str, NDArray[np.float64]] = {}
    for variant, windows in variants.items():
        for index, (observation, outputs) in enumerate(windows):
            head = f"{variant}/{index}"
            segment = observation.segment
            arrays[f"{head}/segment"] = np.array([segment.start_s, segment.end_s])
            for branch, found in outputs.items():
                for output in found[:1]:  # one face and one channel in these clips
                    for field in _FIELDS:
                        arrays[f"{head}/{branch}/{field}"] = getattr(output, field)
    part = path.with_suffix(".part.npz")
    np.savez(part, **arrays)  # type: ignore[arg-type]  # numpy types the keywords as one bool
    part.rename(path)


_PARTS = {
    "voice_clone": Part(channel="mono"),
    "visual_forgery": Part(face_track=0),
    "lip_sync": Part(channel="mono", face_track=0),
}


def read_rows_file(path: Path, row: Row) -> list[Sample]:
    """One clip's variants as they were written."""
    with np.load(path) as table:
        arrays = {key: table[key] for key in table.files}
    samples = []
    for variant in dict.fromkeys(key.split("/")[0] for key in arrays):
        windows = []
        index = 0
        while (segment := arrays.get(f"{variant}/{index}/segment")) is not None:
            outputs = {
                branch: [output]
                for branch in _PARTS
                if (output := _output(arrays, f"{variant}/{index}/{branch}", branch)) is not None
            }
            windows.append((Segment(float(segment[0]), float(segment[1])), outputs))
            index += 1
        samples.append(
            Sample(file=row["file"], group=group_of(row), variant=variant, windows=windows)
        )
    return samples


def _output(
    arrays: Mapping[str, NDArray[np.float64]], head: str, branch: str
) -> BranchOutput | None:
    if f"{head}/scores" not in arrays:
        return None
    segments, scores, tokens, weights = (arrays[f"{head}/{field}"] for field in _FIELDS)
    return BranchOutput(
        part=_PARTS[branch],
        segments=segments,
        scores=scores.astype(np.float32),
        tokens=tokens.astype(np.float32),
        weights=weights.astype(np.float32),
        missing=None if len(scores) else "nothing usable here",
    )


if __name__ == "__main__":
    main()
