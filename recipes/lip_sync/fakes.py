"""Other people's fakes against real clips with sound: scores by the branch as it ships."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from avdetect.branches.base import BranchOutput
from avdetect.branches.lip_sync import LipSyncBranch
from avdetect.observation import Observation
from eval.bootstrap import bootstrap_interval
from eval.metrics import auc, cllr, eer
from eval.splits import video_split
from recipes.calibrate import cross_fitted_llrs
from recipes.datasets.talking_heads import load_clip
from recipes.lip_sync.observations import observations_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredClip:
    """One test clip with what the branch says of it.

    Attributes:
        file: path below ``data/video``.
        fake: the truth.
        kind: ``fake_kind`` of the list, ``real`` for real ones.
        generator, source, group: where it is from; the group is the identity, else the source.
        score: raw score, None where the branch abstains.
        missing: why it abstains.
        facts: mean of the branch's facts over the clip.
    """

    file: str
    fake: bool
    kind: str
    generator: str
    source: str
    group: str
    score: float | None
    missing: str | None
    facts: dict[str, float]


def score_fakes(branch: LipSyncBranch) -> list[ScoredClip]:
    """Every test clip with sound; the branch is never trained on or chosen by them."""
    scored = []
    for row in video_split()[1]:
        if row["has_audio"] != "yes":
            continue
        score, missing, facts = clip_score(branch, observations_of(load_clip(row["file"])))
        scored.append(
            ScoredClip(
                file=row["file"],
                fake=row["label"] == "fake",
                kind=row["fake_kind"] or "real",
                generator=row["generator"],
                source=row["source_repo"],
                group=row["identity"] or row["source_repo"],
                score=score,
                missing=missing,
                facts=facts,
            )
        )
    return scored


def score_dubs(branch: LipSyncBranch, scored: list[ScoredClip]) -> list[ScoredClip]:
    """Every real test clip that could be judged, under the speech of two other people in turn.

    This is the fake that the branch is there for, and one that the test clips hardly hold: their
    generators fit the mouth to the sound, or the sound to the mouth.
    """
    real = [clip for clip in scored if not clip.fake and clip.score is not None]
    dubs = []
    for index, clip in enumerate(real):
        own = load_clip(clip.file)
        others = [other for other in real if other.group != clip.group]
        for shift in (1, len(others) // 2):
            foreign = load_clip(others[(index + shift) % len(others)].file).audio
            dubbed = replace(own, audio=np.resize(foreign, len(own.audio)))
            score, missing, facts = clip_score(branch, observations_of(dubbed))
            dubs.append(
                replace(
                    clip,
                    fake=True,
                    kind="dubbed",
                    generator="foreign speech",
                    score=score,
                    missing=missing,
                    facts=facts,
                )
            )
    return dubs


def summarise_dubs(clips: list[ScoredClip], dubs: list[ScoredClip]) -> dict[str, object]:
    """AUC of dubbed against real clips, and Cllr of both kinds of fake, cross-fitted by source."""
    judged = [clip for clip in (*clips, *dubs) if clip.score is not None]
    labels, scores = _labels(judged), _scores(judged)
    llrs = cross_fitted_llrs(scores, labels, [clip.source for clip in judged])
    return {
        "dubbed": _figure([clip for clip in judged if not clip.fake or clip.kind == "dubbed"]),
        "mixture_of_dubs_and_fakes_of_others": _figure(judged),
        "mixture_cllr_cross_fitted_by_source": round(cllr(labels, llrs), 3),
    }


def clip_score(
    branch: LipSyncBranch, observations: list[Observation]
) -> tuple[float | None, str | None, dict[str, float]]:
    """Pooled raw score of a clip with one face and one channel, or the reason for none."""
    outputs = [output for outputs in branch.run(observations) for output in outputs]
    judged = [output for output in outputs if output.missing is None]
    if not outputs:
        return None, "neither face nor sound", {}
    part = (judged or outputs)[0].part
    pooled = branch.pool(part, [output for output in outputs if output.part == part])
    return pooled.score, pooled.missing, _mean_facts(judged)


def summarise_fakes(clips: list[ScoredClip]) -> dict[str, object]:
    """AUC with its 95 % interval by identity: all kinds pooled, each kind, each generator."""
    judged = [clip for clip in clips if clip.score is not None]
    table: dict[str, object] = {
        "clips": len(clips),
        "judged": len(judged),
        "abstained_for": [
            f"{n} x {reason}"
            for reason, n in Counter(clip.missing or "" for clip in clips if clip.missing).items()
        ],
        "all_kinds": _figure(judged),
    }
    for kind in sorted({clip.kind for clip in judged if clip.fake}):
        name = kind.replace("-", "_")
        table[name] = _figure([c for c in judged if not c.fake or c.kind == kind])
    for generator in sorted({clip.generator for clip in judged if clip.fake}):
        name = "generator_" + "".join(ch if ch.isalnum() else "_" for ch in generator)
        table[name] = _figure([c for c in judged if not c.fake or c.generator == generator])
    labels, scores = _labels(judged), _scores(judged)
    table["eer"] = round(eer(labels, scores), 3)
    llrs = cross_fitted_llrs(scores, labels, [clip.source for clip in judged])
    table["cllr_cross_fitted_by_source"] = round(cllr(labels, llrs), 3)
    return table


def _figure(clips: list[ScoredClip]) -> str:
    labels, scores = _labels(clips), _scores(clips)
    groups = [clip.group for clip in clips]
    low, high = bootstrap_interval(auc, labels, scores, groups)
    n_fake = int(labels.sum())
    return (
        f"AUC {auc(labels, scores):.3f} [{low:.3f}, {high:.3f}], "
        f"{n_fake} fake and {len(clips) - n_fake} real clips, {len(set(groups))} groups"
    )


def _labels(clips: list[ScoredClip]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.array([int(clip.fake) for clip in clips], np.int64)


def _scores(clips: list[ScoredClip]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([clip.score for clip in clips], np.float64)


def _mean_facts(outputs: list[BranchOutput]) -> dict[str, float]:
    names = outputs[0].facts if outputs else ()
    return {name: float(np.mean([output.facts[name] for output in outputs])) for name in names}
