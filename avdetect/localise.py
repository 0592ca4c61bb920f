"""Scores of frames to the stretches of a clip that stand out as forged.

Candidates are what rises above each of several levels (temporal actionness grouping, Zhao et al.
2017); a candidate counts by how far it stands above its surroundings (Shou et al. 2018, outer-inner
contrast), and one that overlaps a better one counts less (soft non-maximum suppression, Bodla et
al. 2017). They say where to look and change no number; but a clip that has one is not called real.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.special import expit

from avdetect.branches.base import FRAME_S, BranchOutput, FrameScores
from avdetect.types import Part, Segment
from avdetect.verdict import SuspiciousSegment

Floats = NDArray[np.float64]

_SMOOTH_FRAMES = 4.0
_SILENCE_WEIGHT = 0.02  # of a frame without speech beside one of speech
_LEVELS = np.arange(-3.0, 5.1, 0.5)
_BRIDGED_FRAMES = 10  # a gap as short as this does not part a stretch
_LEAST_FRAMES = 15
_FLANK_FRAMES = 25
_FULL_FRAMES = 50  # a second
_OVERLAP_SPREAD = 0.3  # of the suppression's Gaussian over overlap
_MOST_CANDIDATES = 400
_LEAST_SCORE = 0.01
_SHOWN_SCORE = 0.5
_USUAL_DEVIATIONS = 2.0  # above the rest of a clip; what lies higher looks forged
_LEAST_DEVIATION = 0.5  # else the noise of a very even clip would stand out
_NORMAL_SPREAD = 1.4826  # standard deviation of normal scores over their median deviation
_LEAST_REST_S = 3.0  # of a clip: a second cannot stand out of less
_MOST_OF_CLIP = 0.5  # what fills more of its clip is the clip, of which the branch's score speaks
_MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Stretch:
    """A candidate: where, and how surely it stands out, 0..1."""

    segment: Segment
    score: float


@dataclass(frozen=True, slots=True)
class PartFrames:
    """Every 20 ms that a branch scored of one part; see `placed` for what the scores say."""

    branch: str
    part: Part
    frames: FrameScores


def find_stretches(frames: Sequence[FrameScores]) -> list[Stretch]:
    """Stretches of one part, surest first.

    Args:
        frames: of its observations, in time order; where they overlap, scores are averaged.
    """
    if not frames:
        return []
    curve, start_s = _curve(frames)
    spans = sorted({span for level in _LEVELS for span in _spans(curve > level)})
    totals = np.concatenate([[0.0], np.cumsum(curve)])
    rated = sorted(((_score(totals, span), span) for span in spans), reverse=True)
    found = [
        Stretch(Segment(start_s + FRAME_S * first, start_s + FRAME_S * last), score)
        for score, (first, last) in _suppress(rated[:_MOST_CANDIDATES])
    ]
    return [stretch for stretch in found if stretch.score >= _LEAST_SCORE]


def shown_stretches(frames: Sequence[FrameScores]) -> list[Stretch]:
    """The few that a verdict shows, surest first: sure enough, part of a clip, no moment twice."""
    stretches = find_stretches(frames)
    if not stretches:
        return []
    middles = np.concatenate([f.segments.mean(1) for f in frames])
    weights = np.concatenate([f.weights for f in frames]).astype(np.float64)
    shown: list[Stretch] = []
    for stretch in stretches:
        if stretch.score < _SHOWN_SCORE or len(shown) == _MOST_SHOWN:
            break
        inside = (middles >= stretch.segment.start_s) & (middles < stretch.segment.end_s)
        is_part = weights[inside].sum() <= _MOST_OF_CLIP * weights.sum()
        if is_part and all(stretch.segment.overlap(other.segment) is None for other in shown):
            shown.append(stretch)
    return shown


def suspicious_segments(
    outputs: Mapping[str, Mapping[Part, Sequence[BranchOutput]]],
) -> tuple[SuspiciousSegment, ...]:
    """What the verdict shows of each part whose branch scores frames, ordered by time.

    Args:
        outputs: branch -> part -> outputs in time order.
    """
    shown = [
        SuspiciousSegment(
            branch=branch,
            channel=part.channel,
            face_track=part.face_track,
            start_s=round(stretch.segment.start_s, 3),
            end_s=round(stretch.segment.end_s, 3),
            score=round(stretch.score, 4),
        )
        for branch, parts in outputs.items()
        for part, found in parts.items()
        for stretch in shown_stretches([o.frames for o in found if o.frames is not None])
    ]
    return tuple(
        sorted(shown, key=lambda s: (s.start_s, s.branch, s.channel or "", s.face_track or 0))
    )


def scored_frames(
    outputs: Mapping[str, Mapping[Part, Sequence[BranchOutput]]],
) -> tuple[PartFrames, ...]:
    """The frames of every part whose branch scores them, in time order, no moment twice.

    Args:
        outputs: branch -> part -> outputs in time order.
    """
    return tuple(
        PartFrames(branch, part, _once(placed(frames)))
        for branch, parts in sorted(outputs.items())
        for part, found in sorted(parts.items(), key=lambda item: str(item[0]))
        if (frames := [output.frames for output in found if output.frames is not None])
    )


def _once(found: FrameScores) -> FrameScores:
    """Where observations overlap, the mean of what they say, by weight."""
    tick = np.rint(found.segments[:, 0] / FRAME_S).astype(np.int64)
    kept, place = np.unique(tick, return_inverse=True)
    weights = found.weights.astype(np.float64) + _SILENCE_WEIGHT
    scores = np.bincount(place, weights * found.scores) / np.bincount(place, weights)
    return FrameScores(
        segments=np.stack([kept * FRAME_S, (kept + 1) * FRAME_S], 1),
        scores=scores.astype(np.float32),
        weights=(np.bincount(place, found.weights) / np.bincount(place)).astype(np.float32),
    )


def placed(frames: Sequence[FrameScores]) -> FrameScores:
    """Frames of a part's observations, 20 ms each, with scores that count by themselves.

    Args:
        frames: at least one; relative scores become deviations above the usual of all of them.
    """
    segments = np.concatenate([f.segments for f in frames])
    lengths = np.maximum(np.rint((segments[:, 1] - segments[:, 0]) / FRAME_S), 1).astype(int)
    number = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    starts = np.repeat(segments[:, 0], lengths) + FRAME_S * number
    scores = np.repeat(np.concatenate([f.scores for f in frames]).astype(np.float64), lengths)
    weights = np.repeat(np.concatenate([f.weights for f in frames]), lengths)
    if frames[0].relative:
        scores = _beside_the_rest(scores, weights)
    return FrameScores(
        segments=np.stack([starts, starts + FRAME_S], 1),
        scores=scores.astype(np.float32),
        weights=weights,
    )


def _curve(frames: Sequence[FrameScores]) -> tuple[Floats, float]:
    """One score for every 20 ms from the first frame on, smoothed over speech; and when that is."""
    found = placed(frames)
    start_s = float(found.segments[0, 0])
    index = np.floor((found.segments.mean(1) - start_s) / FRAME_S).astype(int)
    weights = found.weights.astype(np.float64) + _SILENCE_WEIGHT
    mass = gaussian_filter1d(np.bincount(index, weights), _SMOOTH_FRAMES)
    weighted = gaussian_filter1d(np.bincount(index, weights * found.scores), _SMOOTH_FRAMES)
    # Stretches without speech hold no frames at all: there, nothing stands out.
    return np.where(mass > 1e-6, weighted / np.maximum(mass, 1e-6), _LEVELS[0]), start_s


def _beside_the_rest(scores: Floats, weights: NDArray[np.float32]) -> Floats:
    """Deviations above the median, by the median deviation, less what is usual."""
    known = scores[weights > 0]
    if len(known) * FRAME_S < _LEAST_REST_S:
        return np.full_like(scores, _LEVELS[0])
    middle = np.median(known)
    deviation = _NORMAL_SPREAD * float(np.median(np.abs(known - middle)))
    return np.asarray((scores - middle) / max(deviation, _LEAST_DEVIATION) - _USUAL_DEVIATIONS)


def _spans(above: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last frame (exclusive) of each run, short gaps bridged, short runs left out."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], above.astype(int), [0]])))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return []
    parted = starts[1:] - ends[:-1] > _BRIDGED_FRAMES
    starts, ends = starts[np.append(True, parted)], ends[np.append(parted, True)]
    kept = ends - starts >= _LEAST_FRAMES
    return list(zip(starts[kept].tolist(), ends[kept].tolist(), strict=True))


def _score(totals: Floats, span: tuple[int, int]) -> float:
    """0..1: does the span sound forged, and stand above what surrounds it for long enough."""
    first, last = span
    before, after = max(0, first - _FLANK_FRAMES), min(len(totals) - 1, last + _FLANK_FRAMES)
    inside = (totals[last] - totals[first]) / (last - first)
    n_outside = (first - before) + (after - last)
    if not n_outside:
        return float(expit(inside))
    outside = (totals[first] - totals[before] + totals[after] - totals[last]) / n_outside
    # As in a t-statistic, the root of the length: the whole of a word beats its most suspect sound.
    contrast = (inside - outside) * math.sqrt(min(1.0, (last - first) / _FULL_FRAMES))
    return float(expit(inside)) * math.tanh(max(contrast, 0.0) / 2)


def _suppress(
    rated: Sequence[tuple[float, tuple[int, int]]],
) -> list[tuple[float, tuple[int, int]]]:
    """Surest first, each lowered by its overlap with those before it."""
    left = np.array([score for score, _ in rated])
    spans = np.array([span for _, span in rated]).reshape(-1, 2)
    kept = []
    while len(left):
        best = int(left.argmax())
        span = spans[best]
        kept.append((float(left[best]), (int(span[0]), int(span[1]))))
        common = np.minimum(spans[:, 1], span[1]) - np.maximum(spans[:, 0], span[0])
        hull = np.maximum(spans[:, 1], span[1]) - np.minimum(spans[:, 0], span[0])
        left = left * np.exp(-np.square(np.clip(common, 0, None) / hull) / _OVERLAP_SPREAD)
        others = np.arange(len(left)) != best
        left, spans = left[others], spans[others]
    return kept
