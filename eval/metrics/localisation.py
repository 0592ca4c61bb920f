"""How well proposals find the forged segments: AP@IoU and AR@N of temporal localisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from avdetect.types import Segment
from eval.metrics.trials import Bools, Floats

AP_IOUS = (0.5, 0.75, 0.9, 0.95)
AR_COUNTS = (50, 30, 20, 10, 5)
AR_IOUS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)

LocalisationCompat = Literal["avdeepfake1m"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A segment that a detector holds for forged; a higher confidence is surer."""

    confidence: float
    segment: Segment

    def __post_init__(self) -> None:
        if np.isnan(self.confidence):
            raise ValueError("the confidence of a proposal is NaN")


@dataclass(frozen=True, slots=True)
class LocalisationFigures:
    """AP by IoU threshold and AR by number of proposals a clip, fractions."""

    ap: Mapping[float, float]
    ar: Mapping[int, float]

    @property
    def challenge_score(self) -> float:
        """Half mean AP, half mean AR: the ranking of the 1M-Deepfakes Detection Challenge."""
        return (sum(self.ap.values()) / len(self.ap) + sum(self.ar.values()) / len(self.ar)) / 2.0


@dataclass(frozen=True, slots=True)
class _Clip:
    confidence: Floats  # (P,)
    iou: Floats  # (P, T)


def localisation(
    proposals: Mapping[str, Sequence[Proposal]],
    truth: Mapping[str, Sequence[Segment]],
    *,
    ap_ious: Sequence[float] = AP_IOUS,
    ar_counts: Sequence[int] = AR_COUNTS,
    ar_ious: Sequence[float] = AR_IOUS,
    compat: LocalisationCompat | None = None,
) -> LocalisationFigures:
    """Average precision and average recall of proposals over all clips (Cai et al. 2022, 2024).

    By default AP is the area under precision made monotone over recall, from recall 0 on, all
    points (Everingham et al. 2010; ActivityNet, Caba Heilbron et al. 2015): proposals of all clips
    by falling confidence, equal confidences moving together; each takes the free segment that it
    overlaps most, a hit from the IoU threshold on. AR@N is the share of segments that any of a
    clip's N surest proposals hits, pooled over clips, mean over ``ar_ious``. A clip without an
    entry in ``proposals`` has none.

    Args:
        proposals: by clip.
        truth: forged segments by clip, an empty list for a real one; every clip must be there.
        ap_ious: thresholds of AP.
        ar_counts: numbers of proposals of AR.
        ar_ious: thresholds that AR is averaged over.
        compat: ``avdeepfake1m`` as the package avdeepfake1m 0.0.4 computes: AP leaves out the first
            recall step (one exact proposal for one segment gives 0), each segment takes the first
            free proposal as listed, AR takes the first N as listed, IoU must exceed the threshold,
            tied confidences count one by one in the order of ``truth``, and all of it in float32;
            without any segment AP is NaN and AR 0.

    Raises:
        ValueError: no clip holds a segment (not under ``compat``), or a proposal's clip is not in
            ``truth`` (not under ``compat``, which passes it over); under ``compat`` a clip without
            proposals, where the official code panics.
    """
    clips = _clips(proposals, truth, compat)
    n_segments = sum(clip.iou.shape[1] for clip in clips)
    if not n_segments and compat is None:
        raise ValueError("no clip holds a forged segment: AP and AR are not defined")
    confidence = np.concatenate([clip.confidence for clip in clips])
    ap = {}
    for iou in ap_ious:
        match = _first_listed if compat else _surest_first
        hits = np.concatenate([match(clip, iou) for clip in clips])
        ap[iou] = _average_precision(confidence, hits, n_segments, compat)
    ar = {n: _average_recall(clips, n, ar_ious, compat) for n in ar_counts}
    return LocalisationFigures(ap, ar)


def _clips(
    proposals: Mapping[str, Sequence[Proposal]],
    truth: Mapping[str, Sequence[Segment]],
    compat: LocalisationCompat | None,
) -> list[_Clip]:
    unknown = sorted(proposals.keys() - truth.keys())
    if unknown and compat is None:
        raise ValueError(f"{len(unknown)} clips have proposals but no truth, such as {unknown[0]}")
    empty = [name for name in truth if not proposals.get(name)]
    if empty and compat is not None:
        raise ValueError(f"{compat} needs a proposal for every clip; {empty[0]} has none")
    return [
        _clip(proposals.get(name, ()), segments, np.float32 if compat else np.float64)
        for name, segments in truth.items()
    ]


def _clip(
    proposals: Sequence[Proposal], segments: Sequence[Segment], dtype: type[np.floating]
) -> _Clip:
    confidence = np.asarray([p.confidence for p in proposals], dtype)
    ours = np.asarray([(p.segment.start_s, p.segment.end_s) for p in proposals], dtype)
    true = np.asarray([(s.start_s, s.end_s) for s in segments], dtype)
    start, end = ours.reshape(-1, 1, 2)[..., 0], ours.reshape(-1, 1, 2)[..., 1]
    true_start, true_end = true.reshape(-1, 2).T
    common = np.maximum(np.minimum(end, true_end) - np.maximum(start, true_start), 0.0)
    # Segments that meet have no gap between them, so their union is as long as their hull.
    hull = np.maximum(end, true_end) - np.minimum(start, true_start)
    iou = np.divide(common, hull, out=np.zeros_like(common), where=hull > 0.0)
    return _Clip(confidence, iou)


def _surest_first(clip: _Clip, threshold: float) -> Bools:
    """Which proposals hit, each taking the free segment that it overlaps most."""
    free = np.ones(clip.iou.shape[1], bool)
    hits = np.zeros(clip.confidence.size, bool)
    order = np.argsort(-clip.confidence, kind="stable")
    for row in order[(clip.iou[order] >= threshold).any(axis=1)]:
        iou = np.where(free, clip.iou[row], -1.0)
        if iou.max() >= threshold:
            hits[row], free[iou.argmax()] = True, False
    return hits


def _first_listed(clip: _Clip, threshold: float) -> Bools:
    """Which proposals hit where each segment takes the first free one as listed."""
    hits = np.zeros(clip.confidence.size, bool)
    for column in (clip.iou > np.float32(threshold)).T:
        free = np.flatnonzero(column & ~hits)
        hits[free[:1]] = True
    return hits


def _average_precision(
    confidence: NDArray[np.floating],
    hits: Bools,
    n_segments: int,
    compat: LocalisationCompat | None,
) -> float:
    if not n_segments or not hits.size:
        return 0.0 if n_segments else float("nan")
    order = np.argsort(-confidence, kind="stable")
    n_hits = np.cumsum(hits[order])
    precision, recall = n_hits / np.arange(1, n_hits.size + 1), n_hits / n_segments
    if compat is None:
        last_of_tie = np.append(confidence[order][1:] != confidence[order][:-1], True)
        precision, recall = precision[last_of_tie], recall[last_of_tie]
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.diff(recall, prepend=0.0)
    if compat is not None:
        steps[:1] = 0.0
    return float(np.sum(steps * best_from_here))


def _average_recall(
    clips: list[_Clip], n: int, ious: Sequence[float], compat: LocalisationCompat | None
) -> float:
    best = []
    for clip in clips:
        listed = np.argsort(-clip.confidence, kind="stable")[:n] if compat is None else slice(n)
        best.append(clip.iou[listed].max(axis=0, initial=0.0))
    found = np.concatenate(best)
    if not found.size:
        return 0.0
    if compat is None:
        return float(np.mean([np.mean(found >= iou) for iou in ious]))
    return float(np.mean([np.mean(found > np.float32(iou)) for iou in ious]))
