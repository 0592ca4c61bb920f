"""Rows of the branches to a readable timeline and the stretches most worth a look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from avdetect.branches.base import BranchOutput
from avdetect.calibration import Calibration
from avdetect.findings import finding_words
from avdetect.types import Part
from avdetect.verdict import Evidence, TimelineEntry

_SHORTEST_BIN_S = 1.0  # shorter stretches are noise to a reader
_MOST_BINS = 600  # per part: a two-hour call still gives a page a browser can draw
_EVIDENCE_PER_BRANCH = 3


def build_timeline(
    outputs: Mapping[str, Mapping[Part, Sequence[BranchOutput]]],
    calibrations: Mapping[str, Calibration],
    duration_s: float,
) -> tuple[TimelineEntry, ...]:
    """One entry per branch, part and bin of at least a second, ordered by time.

    Args:
        outputs: branch -> part -> outputs in time order.
        calibrations: branch -> its clip calibration, applied to a bin's mean score.
        duration_s: length of the clip; sets the bin so that no part has more than 600.
    """
    bin_s = max(_SHORTEST_BIN_S, duration_s / _MOST_BINS)
    entries = [
        entry
        for branch, parts in outputs.items()
        for part, found in parts.items()
        for entry in _bins(branch, part, found, calibrations[branch], bin_s)
    ]
    return tuple(
        sorted(entries, key=lambda e: (e.start_s, e.branch, e.channel or "", e.face_track or 0))
    )


def _bins(
    branch: str, part: Part, outputs: Sequence[BranchOutput], calibration: Calibration, bin_s: float
) -> Iterator[TimelineEntry]:
    rows = [output for output in outputs if len(output.scores)]
    if not rows:
        return
    segments = np.concatenate([output.segments for output in rows])
    scores = np.concatenate([output.scores for output in rows]).astype(np.float64)
    weights = np.concatenate([output.weights for output in rows]).astype(np.float64)
    index = np.floor(segments.mean(1) / bin_s).astype(int)
    for number in np.unique(index):
        inside = (index == number) & (weights > 0)
        if not inside.any():
            continue
        score = float(np.average(scores[inside], weights=weights[inside]))
        yield TimelineEntry(
            start_s=round(max(float(segments[inside, 0].min()), number * bin_s), 3),
            end_s=round(min(float(segments[inside, 1].max()), (number + 1) * bin_s), 3),
            branch=branch,
            channel=part.channel,
            face_track=part.face_track,
            fake_llr=round(calibration.fake_llr(score), 4),
        )


def pick_evidence(timeline: Sequence[TimelineEntry]) -> tuple[Evidence, ...]:
    """The stretches of each branch that favour fake most, worst first; empty if none does."""
    picked: list[Evidence] = []
    for branch in sorted({entry.branch for entry in timeline}):
        rows = [entry for entry in timeline if entry.branch == branch and entry.fake_llr > 0]
        for row in sorted(rows, key=lambda e: (-e.fake_llr, e.start_s))[:_EVIDENCE_PER_BRANCH]:
            picked.append(Evidence(**row.model_dump(), text=finding_words(branch, row.fake_llr)))
    return tuple(sorted(picked, key=lambda e: -e.fake_llr))
