"""Rows of the branches to a readable timeline and the stretches most worth a look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from avdetect.branches.base import BranchOutput
from avdetect.calibration import Calibration
from avdetect.findings import finding_words
from avdetect.fusion.cross_attention import CrossAttentionFusion
from avdetect.fusion.subjects import Subject
from avdetect.types import Part
from avdetect.verdict import Evidence, FusedEntry, TimelineEntry

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
    bin_s = _bin_seconds(duration_s)
    entries = [
        entry
        for branch, parts in outputs.items()
        for part, found in parts.items()
        for entry in _bins(branch, part, found, calibrations[branch], bin_s)
    ]
    return tuple(
        sorted(entries, key=lambda e: (e.start_s, e.branch, e.channel or "", e.face_track or 0))
    )


def fuse_timeline(
    timeline: Sequence[TimelineEntry],
    subjects: Sequence[Subject],
    fusion: CrossAttentionFusion,
    duration_s: float,
) -> tuple[FusedEntry, ...]:
    """One entry per subject and bin in which any of its branches judged, ordered by time.

    Branches that say nothing of a bin are absent from it, as they are from a clip they cannot
    judge. What cross-attention adds is said of whole clips alone and has no part here.

    Args:
        timeline: of `build_timeline`.
        subjects: who was judged.
        fusion: how the LLRs of several branches become one.
        duration_s: the length that the timeline was built with.
    """
    bin_s = _bin_seconds(duration_s)
    said: dict[tuple[str, Part], dict[int, TimelineEntry]] = {}
    for entry in timeline:
        key = (entry.branch, Part(entry.channel, entry.face_track))
        said.setdefault(key, {})[int((entry.start_s + entry.end_s) / 2 / bin_s)] = entry
    fused = [
        FusedEntry(
            start_s=min(row.start_s for row in rows.values()),
            end_s=max(row.end_s for row in rows.values()),
            channel=subject.part.channel,
            face_track=subject.part.face_track,
            fake_llr=round(fusion.at_moment({n: row.fake_llr for n, row in rows.items()}), 4),
        )
        for subject in subjects
        for rows in _rows_by_bin(subject, said)
    ]
    return tuple(sorted(fused, key=lambda e: (e.start_s, e.channel or "", e.face_track or 0)))


def _rows_by_bin(
    subject: Subject, said: Mapping[tuple[str, Part], Mapping[int, TimelineEntry]]
) -> Iterator[dict[str, TimelineEntry]]:
    """By branch, what was said of the subject in each bin in which anything was."""
    parts = subject.parts()
    found = {name: said.get((name, parts[name]), {}) for name in subject.fake_llrs}
    for number in sorted({number for bins in found.values() for number in bins}):
        yield {name: bins[number] for name, bins in found.items() if number in bins}


def _bin_seconds(duration_s: float) -> float:
    return max(_SHORTEST_BIN_S, duration_s / _MOST_BINS)


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
    """The stretches of each branch that favour fake most, worst first; empty if none does.

    What a branch said once of several bins is one stretch.
    """
    picked: list[Evidence] = []
    for branch in sorted({entry.branch for entry in timeline}):
        rows = _joined([e for e in timeline if e.branch == branch and e.fake_llr > 0])
        for row in sorted(rows, key=lambda e: (-e.fake_llr, e.start_s))[:_EVIDENCE_PER_BRANCH]:
            picked.append(Evidence(**row.model_dump(), text=finding_words(branch, row.fake_llr)))
    return tuple(sorted(picked, key=lambda e: -e.fake_llr))


def _joined(entries: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    """Of one branch, in time order: near entries of a part with one LLR become one entry."""
    joined: dict[Part, list[TimelineEntry]] = {}
    for entry in entries:
        found = joined.setdefault(Part(entry.channel, entry.face_track), [])
        if found and _are_one(found[-1], entry):
            found[-1] = found[-1].model_copy(update={"end_s": entry.end_s})
        else:
            found.append(entry)
    return [entry for found in joined.values() for entry in found]


def _are_one(before: TimelineEntry, after: TimelineEntry) -> bool:
    """Whether they say the same, and nothing but a pause of less than a bin lies between."""
    return before.fake_llr == after.fake_llr and after.start_s - before.end_s < _SHORTEST_BIN_S
