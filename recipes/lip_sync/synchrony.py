"""How well offsets are found and foreign speech is noticed, on people never trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avdetect.branches.lip_sync import LipSyncBranch
from avdetect.timebase import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from eval.bootstrap import bootstrap_interval
from eval.metrics import auc
from eval.shared_data import read_rows
from eval.splits import Row, video_split
from recipes.datasets.talking_heads import TalkingHeadClip, load_clip
from recipes.forge.timing import delay
from recipes.lip_sync.fakes import clip_score
from recipes.lip_sync.observations import observations_of

SHIFTS = (-7, -5, -3, -1, 0, 1, 3, 5, 7)


def held_out_figures(branch: LipSyncBranch, held_out: frozenset[str]) -> dict[str, object]:
    """On the identities of ``sync.csv`` left out of training, 1.2 s each."""
    rows = [row for row in read_rows("data/video/sync.csv") if row["identity"] in held_out]
    return _figures(branch, rows, 1.2)


def test_figures(branch: LipSyncBranch) -> dict[str, object]:
    """On real test clips with sound and without a note about lag: 1.2, 3 and 5 s of each."""
    rows = [
        row
        for row in video_split()[1]
        if row["label"] == "real" and row["has_audio"] == "yes" and not row["note"]
    ]
    figures: dict[str, object] = {}
    for seconds in (1.2, 3.0, 5.0):
        found = _figures(branch, rows, seconds)
        figures.update({f"{key}_at_{seconds:g}_s": value for key, value in found.items()})
    return figures


def trimmed(clip: TalkingHeadClip, seconds: float) -> TalkingHeadClip:
    """The first ``seconds`` of picture and sound."""
    kept = clip.frame_index < round(seconds * FRAME_RATE_HZ)
    return replace(
        clip,
        mouths=clip.mouths[kept],
        frame_index=clip.frame_index[kept],
        landmarks=clip.landmarks[kept],
        audio=clip.audio[: round(seconds * SAMPLE_RATE_HZ)],
    )


def _figures(branch: LipSyncBranch, rows: list[Row], seconds: float) -> dict[str, object]:
    loaded = [load_clip(row["file"]) for row in rows]
    long_enough = [clip.frame_index[-1] + 2 >= seconds * FRAME_RATE_HZ for clip in loaded]
    kept = [trimmed(c, seconds) for c, fits in zip(loaded, long_enough, strict=True) if fits]
    groups = [
        row["identity"] or row["source_repo"]
        for row, fits in zip(rows, long_enough, strict=True)
        if fits
    ]
    errors, usable = _offset_errors(branch, kept)
    within = np.abs(errors) <= 1
    return {
        "offset_within_one_frame": share(within, [groups[i] for i in usable]),
        "foreign_speech": _foreign_auc(branch, kept, groups),
    }


def _offset_errors(
    branch: LipSyncBranch, clips: list[TalkingHeadClip]
) -> tuple[NDArray[np.float64], list[int]]:
    """Error in frames after moving each sound by a known amount, and which clips were judged."""
    errors, usable = [], []
    for number, clip in enumerate(clips):
        shift = SHIFTS[number % len(SHIFTS)]
        moved = replace(clip, audio=shifted(clip.audio, shift))
        facts = clip_score(branch, observations_of(moved)[:1])[2]
        if facts:
            errors.append(facts["av_offset_s"] * FRAME_RATE_HZ - shift)
            usable.append(number)
    return np.array(errors), usable


def shifted(audio: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """The sound ``frames`` of 40 ms later (earlier where negative)."""
    return delay(audio, frames / FRAME_RATE_HZ)


def _foreign_auc(branch: LipSyncBranch, clips: list[TalkingHeadClip], groups: list[str]) -> str:
    labels, scores, owners = [], [], []
    for number, clip in enumerate(clips):
        others = [
            other
            for other, group in zip(
                [*clips[number + 1 :], *clips[:number]],
                [*groups[number + 1 :], *groups[:number]],
                strict=True,
            )
            if group != groups[number]
        ]
        pairs = [(0, clip.audio), *((1, other.audio) for other in others[:2])]
        for label, audio in pairs:
            score = clip_score(branch, observations_of(replace(clip, audio=audio)))[0]
            if score is not None:
                labels.append(label)
                scores.append(score)
                owners.append(groups[number])
    if len(set(owners)) < 2:
        return "too few clips"
    low, high = bootstrap_interval(auc, labels, scores, owners)
    return (
        f"AUC {auc(labels, scores):.3f} [{low:.3f}, {high:.3f}], "
        f"{sum(labels)} foreign and {len(labels) - sum(labels)} own, {len(set(owners))} groups"
    )


def share(hits: NDArray[np.bool_], groups: Sequence[str]) -> str:
    """Share of hits with its 95 % interval over groups, as words."""
    if len(set(groups)) < 2:
        return "too few clips"
    names = np.array(groups)
    rng = np.random.default_rng(0)
    draws = []
    unique = np.unique(names)
    for _ in range(1000):
        chosen = rng.choice(unique, len(unique))
        draws.append(float(np.mean(np.concatenate([hits[names == name] for name in chosen]))))
    low, high = np.quantile(draws, (0.025, 0.975))
    return f"{hits.mean():.3f} [{low:.3f}, {high:.3f}], {len(hits)} clips, {len(unique)} groups"
