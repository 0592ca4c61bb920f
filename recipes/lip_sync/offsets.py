"""How often a clip's audio-video offset is told, and how often it is right where it is.

python -m recipes.lip_sync.offsets [--model NAME]

The sound of real clips is moved by known amounts; their synchrony is not in doubt.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from avdetect.branches.agreement import OffsetSums
from avdetect.branches.lip_sync import LipSyncBranch, build_lip_sync
from avdetect.checkpoint import load_checkpoint, read_bundle
from avdetect.synchrony import CLEAR_LEAD
from avdetect.timebase import FRAME_RATE_HZ
from eval.shared_data import read_rows
from eval.splits import Row, video_split
from recipes.datasets.talking_heads import load_clip
from recipes.lip_sync.observations import observations_of
from recipes.lip_sync.settings import read_settings
from recipes.lip_sync.synchrony import SHIFTS, share, shifted, trimmed

_LENGTHS_S = (1.2, 3.0, 5.0, np.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOffset:
    """One clip's offset.

    Attributes:
        group: identity, else source.
        error_frames: found less true.
        lead: see `OffsetSums.lead`.
    """

    group: str
    error_frames: float
    lead: float


def find_offsets(branch: LipSyncBranch, rows: Sequence[Row], seconds: float) -> list[FoundOffset]:
    """Offsets of the first ``seconds`` of every clip that lasts as long and can be judged."""
    found = []
    for number, row in enumerate(rows):
        clip = load_clip(row["file"])
        if not len(clip.frame_index):
            continue
        if np.isfinite(seconds):
            if clip.frame_index[-1] + 2 < seconds * FRAME_RATE_HZ:
                continue
            clip = trimmed(clip, seconds)
        shift = SHIFTS[number % len(SHIFTS)]
        moved = replace(clip, audio=shifted(clip.audio, shift))
        outputs = branch.run(observations_of(moved))
        sums = [o.agreement.sums for said in outputs for o in said if o.agreement is not None]
        if sums:
            total = OffsetSums.total(sums)
            group = row["identity"] or row["source_repo"]
            error = total.best_offset() - shift
            found.append(FoundOffset(group=group, error_frames=error, lead=total.lead()))
    return found


def report(name: str, found: Sequence[FoundOffset]) -> None:
    """Print one block: all offsets, then those that a verdict tells."""
    clear = [one for one in found if one.lead >= CLEAR_LEAD]
    print(f"\n{name}: {len(found)} clips, told in {len(clear)}")
    for what, some in (("all", found), ("told", clear)):
        errors, groups = np.array([abs(o.error_frames) for o in some]), [o.group for o in some]
        for frames in (1, 2):
            print(f"    {what:5s} within {frames} frames  {share(errors <= frames, groups)}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=read_bundle("default").checkpoints["lip_sync"])
    given = parser.parse_args()
    torch.set_num_threads(1)
    branch = build_lip_sync(load_checkpoint(given.model), torch.device("cpu"))
    held_out = read_settings(Path(__file__).with_name("config.toml")).held_out
    speakers = [row for row in read_rows("data/video/sync.csv") if row["identity"] in held_out]
    report("held-out speakers, 1.2 s", find_offsets(branch, speakers, 1.2))
    measured = [
        row
        for row in video_split()[1]
        if row["label"] == "real" and row["has_audio"] == "yes" and not row["note"]
    ]
    for seconds in _LENGTHS_S:
        length = f"{seconds:g} s" if np.isfinite(seconds) else "whole clips"
        report(f"other sources, {length}", find_offsets(branch, measured, seconds))


if __name__ == "__main__":
    main()
