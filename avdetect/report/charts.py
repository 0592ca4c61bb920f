"""Geometry of the page's drawings; the templates turn it into SVG, so escaping is theirs.

All x run from 0 to `WIDTH`, the same for every drawing on one time axis, so that what lies
underneath each other on the page happened at the same time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from avdetect.exhibits import Attribution, AudioExhibit
from avdetect.report import words
from avdetect.types import Part
from avdetect.verdict import (
    Evidence,
    FusedEntry,
    SuspiciousSegment,
    TimelineEntry,
    Verdict,
)

Entry = TimelineEntry | FusedEntry

WIDTH = 720.0
_COLUMNS = 720  # one timeline column per unit of width: longer clips are shown by their worst
_PATCHES_TOLD = 3
_TICK_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One coloured stretch of a lane: position, and the score it stands for."""

    x: float
    width: float
    start_s: float
    end_s: float
    fake_llr: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The judgement of one part along the clip, by one branch or by `words.TOGETHER`."""

    branch: str
    part: Part
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A suspicious stretch drawn over a channel; ``number`` is its row in the evidence table."""

    x: float
    width: float
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One patch of a spectrogram: position, what it stands for, and how strongly it is coloured.

    Attributes:
        x, y, width, height: of the patch; y grows downward from the highest frequency.
        start_s, end_s: seconds from the start of the stretch.
        low_hz, high_hz: its band.
        fall: how far the LLR falls without it.
        strength: 0..1 of the strongest patch on the page.
        told: one of the strongest of its stretch, whose number is written into it.
    """

    x: float
    y: float
    width: float
    height: float
    start_s: float
    end_s: float
    low_hz: float
    high_hz: float
    fall: float
    strength: float
    told: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One label of the time axis."""

    x: float
    seconds: float


def clip_seconds(verdict: Verdict, audio: Iterable[AudioExhibit] = ()) -> float:
    """Length of the time axis: the longest of what the container, timeline and sound say."""
    lengths = [verdict.input.duration_s or 0.0]
    lengths += [entry.end_s for entry in verdict.timeline]
    lengths += [exhibit.column_s * len(exhibit.envelope) for exhibit in audio]
    return max(lengths)


def llr_span(verdict: Verdict) -> float:
    """Half-width of every LLR axis on the page, so that bars can be compared by eye."""
    found = [verdict.fake_llr, *(branch.fake_llr for branch in verdict.branches.values())]
    found += [part.fake_llr for branch in verdict.branches.values() for part in branch.parts]
    found += [entry.fake_llr for entry in verdict.timeline]
    found += [entry.fake_llr for entry in verdict.fused_timeline]
    return max(3.0, *(math.ceil(abs(llr)) for llr in found if llr is not None), 3.0)


def timeline_lanes(entries: Iterable[TimelineEntry], duration_s: float) -> list[Lane]:
    """One lane per branch and part; those of a branch stand together."""
    return _lanes(((entry.branch, entry) for entry in entries), duration_s)


def together_lanes(entries: Iterable[FusedEntry], duration_s: float) -> list[Lane]:
    """One lane per face with its voice: what the branches say together.

    A face or a voice alone has no lane: its branch's own says the same.
    """
    joined = (e for e in entries if e.channel is not None and e.face_track is not None)
    return _lanes(((words.TOGETHER, entry) for entry in joined), duration_s)


def _lanes(named: Iterable[tuple[str, Entry]], duration_s: float) -> list[Lane]:
    groups: dict[tuple[str, Part], list[Entry]] = {}
    for branch, entry in named:
        groups.setdefault((branch, Part(entry.channel, entry.face_track)), []).append(entry)
    ordered = sorted(groups.items(), key=lambda item: (item[0][0], str(item[0][1])))
    return [
        Lane(branch=branch, part=part, bars=tuple(_bars(group, duration_s)))
        for (branch, part), group in ordered
    ]


def time_ticks(duration_s: float, at_most: int = 9) -> list[Tick]:
    """Round times for the axis, from 0."""
    if duration_s <= 0:
        return []
    step = next(
        (step for step in _TICK_STEPS_S if duration_s / step <= at_most),
        3600 * math.ceil(duration_s / at_most / 3600),
    )
    times = [index * step for index in range(int(duration_s / step + 1e-9) + 1)]
    return [Tick(x=_x(time, duration_s), seconds=time) for time in times]


def channel_marks(evidence: Iterable[Evidence], channel: str, duration_s: float) -> list[Mark]:
    """Evidence for fake that can be heard on this channel."""
    return _marks(evidence, lambda item: item.channel == channel, duration_s)


def stretch_marks(
    suspicious: Iterable[SuspiciousSegment], channel: str, duration_s: float
) -> list[Mark]:
    """Stretches of this channel's voice that stand out, numbered in the order of their table."""
    return [
        _mark(item, number, duration_s)
        for number, item in enumerate(suspicious, start=1)
        if item.channel == channel and item.face_track is None
    ]


def lane_marks(evidence: Iterable[Evidence], lane: Lane, duration_s: float) -> list[Mark]:
    """Evidence for fake that is of a lane's branch and part."""

    def is_of_lane(item: Evidence) -> bool:
        return (item.branch, Part(item.channel, item.face_track)) == (lane.branch, lane.part)

    return _marks(evidence, is_of_lane, duration_s)


def _marks(
    evidence: Iterable[Evidence], wanted: Callable[[Evidence], bool], duration_s: float
) -> list[Mark]:
    return [
        _mark(item, number, duration_s)
        for number, item in enumerate(evidence, start=1)
        if wanted(item) and item.fake_llr > 0
    ]


def _mark(item: Evidence | SuspiciousSegment, number: int, duration_s: float) -> Mark:
    start, end = _x(item.start_s, duration_s), _x(item.end_s, duration_s)
    return Mark(x=start, width=max(2.0, end - start), number=number)


def envelope_path(exhibit: AudioExhibit, duration_s: float, height: float) -> str:
    """The waveform's outline as an SVG path: up along the highest, back along the lowest."""
    envelope = _thin(exhibit.envelope)
    n = len(envelope)
    if n == 0 or duration_s <= 0:
        return ""
    xs = (np.arange(n) + 0.5) * (_x(exhibit.column_s * len(exhibit.envelope), duration_s) / n)
    middle = height / 2
    upper = middle - np.clip(envelope[:, 1], -1, 1) * (middle - 1)
    lower = middle - np.clip(envelope[:, 0], -1, 1) * (middle - 1) + 0.4  # silence stays visible
    points = [*zip(xs, upper, strict=True), *zip(xs[::-1], lower[::-1], strict=True)]
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"


def strongest_fall(attributions: Iterable[Attribution]) -> float:
    """The largest change of LLR of any patch: full colour on the whole page."""
    return max((float(np.abs(found.falls).max()) for found in attributions), default=0.0)


def attribution_patches(
    attribution: Attribution, width: float, height: float, strongest: float
) -> list[Patch]:
    """Patches that fill ``width`` by ``height``: bands equally high, the lowest at the bottom."""
    hertz, seconds = attribution.edges_hz, attribution.edges_s
    band_height = height / (len(hertz) - 1)
    order = np.argsort(-np.abs(attribution.falls), axis=None, kind="stable")
    told = set(order[:_PATCHES_TOLD].tolist())
    return [
        Patch(
            x=start_s / seconds[-1] * width,
            y=height - (band + 1) * band_height,
            width=(end_s - start_s) / seconds[-1] * width,
            height=band_height,
            start_s=start_s,
            end_s=end_s,
            low_hz=low,
            high_hz=high,
            fall=float(attribution.falls[band, column]),
            strength=abs(float(attribution.falls[band, column])) / strongest if strongest else 0.0,
            told=band * (len(seconds) - 1) + column in told,
        )
        for band, (low, high) in enumerate(pairwise(hertz))
        for column, (start_s, end_s) in enumerate(pairwise(seconds))
    ]


def _thin(envelope: NDArray[np.float32]) -> NDArray[np.float32]:
    factor = math.ceil(len(envelope) / _COLUMNS)
    if factor <= 1:
        return envelope
    starts = np.arange(0, len(envelope), factor)
    low = np.minimum.reduceat(envelope[:, 0], starts)
    high = np.maximum.reduceat(envelope[:, 1], starts)
    return np.stack([low, high], axis=1)


def _bars(entries: Sequence[Entry], duration_s: float) -> Iterable[Bar]:
    columns = np.full(_COLUMNS, np.nan)
    scale = _COLUMNS / duration_s if duration_s > 0 else 0.0
    for entry in entries:
        first = min(int(entry.start_s * scale), _COLUMNS - 1)
        last = max(first + 1, math.ceil(entry.end_s * scale - 1e-9))
        columns[first:last] = np.fmax(columns[first:last], entry.fake_llr)
    edges = np.flatnonzero(columns[1:] != columns[:-1]) + 1
    for start, end in zip([0, *edges], [*edges, _COLUMNS], strict=True):
        if not np.isnan(columns[start]):
            yield Bar(
                x=start * WIDTH / _COLUMNS,
                width=(end - start) * WIDTH / _COLUMNS,
                start_s=start / _COLUMNS * duration_s,
                end_s=end / _COLUMNS * duration_s,
                fake_llr=float(columns[start]),
            )


def _x(seconds: float, duration_s: float) -> float:
    return min(max(seconds / duration_s, 0.0), 1.0) * WIDTH if duration_s > 0 else 0.0
