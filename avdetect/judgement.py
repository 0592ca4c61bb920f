"""From a clip's record to its verdict: pool, calibrate, fuse, decide, and say why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from avdetect.branches.base import Branch, BranchOutput, PartScore
from avdetect.branches.voice_clone import LEAST_SPEECH_S
from avdetect.calibration import Calibration, probability
from avdetect.cue_entries import cue_entry, with_cues
from avdetect.cues.base import CueTools
from avdetect.cues.session import CueFinding
from avdetect.cues.worth import NO_WORTHS, Worths
from avdetect.decision import DecisionRule, combine_parts
from avdetect.findings import decision_words
from avdetect.fusion.cross_attention import CrossAttentionFusion, FusedScore
from avdetect.fusion.subjects import SYNC, Subject, find_subjects
from avdetect.localise import suspicious_segments
from avdetect.observation import Observation
from avdetect.record import ClipRecord
from avdetect.synchrony import measure_synchrony
from avdetect.timeline import build_timeline, fuse_timeline, pick_evidence
from avdetect.types import Decision, Part
from avdetect.verdict import (
    BranchVerdict,
    Input,
    Modalities,
    Model,
    PartVerdict,
    Quality,
    SuspiciousSegment,
    Verdict,
)

_PLACES = 6  # decimals of every LLR on the wire: finer is noise
_COPY_SHARE = 0.5
UNDECODED_PICTURE = "undecoded picture"  # a kind of clip: its picture stream gave no picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Judges:
    """Everything that turns rows into a verdict; shared by all clips of a Detector."""

    branches: Mapping[str, Branch]
    calibrations: Mapping[str, Calibration]
    fusion: CrossAttentionFusion
    rule: DecisionRule
    models: tuple[Model, ...]
    worths: Worths = field(default_factory=lambda: NO_WORTHS)
    tools: CueTools = field(default_factory=CueTools)


def judge(
    record: ClipRecord,
    source: Input,
    judges: Judges,
    *,
    prior_fake: float,
    kinds: frozenset[str],
    cues: Sequence[CueFinding] = (),
) -> Verdict:
    """The verdict on a fully observed clip.

    Args:
        record: what was remembered of it.
        source: its facts, as they go on the wire.
        judges: what turns rows into a verdict.
        prior_fake: how probable a fake was before looking.
        kinds: of what was judged: ``audio``, ``video``, ``image``, and `UNDECODED_PICTURE` beside
            the latter two. Cover art is none of them.
        cues: what cues found; those whose fusion gave them a say add to the parts they speak of.
    """
    weighed = weigh(record, judges, cues)
    scores, llrs, fused, fake_llr = weighed.scores, weighed.llrs, weighed.fused, weighed.fake_llr
    suspicious = suspicious_segments(record.outputs)
    decided = judges.rule.decide(fake_llr, prior_fake)
    decision, doubts = settle(decided, weighed, record, suspicious, kinds)
    timeline = build_timeline(record.outputs, judges.calibrations, record.end_s)
    missing = {
        name: _why_missing(name, found, record, kinds)
        for name, found in scores.items()
        if not llrs[name]
    }
    worst = max(fused, key=lambda pair: pair[1].fake_llr, default=None)
    return Verdict(
        input=source,
        decision=decision,
        reason=_reason(decision, worst, len(fused), missing, doubts),
        decided_by=_part_verdict(*worst, record) if worst else None,
        fake_llr=_rounded(fake_llr),
        fake_probability=None if fake_llr is None else round(probability(fake_llr, prior_fake), 6),
        prior_fake=prior_fake,
        branches={
            name: _branch_verdict(found, llrs[name], record) for name, found in scores.items()
        },
        modalities=_modalities([score for _, score in fused]),
        timeline=timeline,
        fused_timeline=fuse_timeline(
            timeline, [subject for subject, _ in fused], judges.fusion, record.end_s
        ),
        evidence=pick_evidence(timeline),
        suspicious=suspicious,
        synchrony=measure_synchrony(record.outputs.get(SYNC, {}), llrs.get(SYNC, {})),
        cues=tuple(cue_entry(finding) for finding in cues),
        missing=missing,
        quality=_quality(record),
        models=judges.models,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """The numbers of a verdict, without its words.

    Attributes:
        scores: branch -> its raw score for every part.
        llrs: branch -> part -> calibrated LLR, judged parts only.
        fused: every subject with its fused LLRs.
        fake_llr: of the whole; None where nothing was judged.
    """

    scores: Mapping[str, Sequence[PartScore]]
    llrs: Mapping[str, Mapping[Part, float]]
    fused: Sequence[tuple[Subject, FusedScore]]
    fake_llr: float | None


def weigh(record: ClipRecord, judges: Judges, cues: Sequence[CueFinding] = ()) -> Weighed:
    """Pool, calibrate, fuse and combine what is remembered of a clip."""
    scores = {name: _pool(branch, record) for name, branch in judges.branches.items()}
    llrs = {
        name: {
            score.part: judges.calibrations[name].fake_llr(score.score)
            for score in found
            if score.score is not None
        }
        for name, found in scores.items()
    }
    fused = [
        (
            subject,
            with_cues(
                judges.fusion.judge(subject, record.windows), subject, cues, judges.fusion.limit
            ),
        )
        for subject in find_subjects(llrs)
    ]
    fake_llr = combine_parts([score.fake_llr for _, score in fused])
    return Weighed(scores=scores, llrs=llrs, fused=fused, fake_llr=fake_llr)


def settle(
    decision: Decision,
    weighed: Weighed,
    record: ClipRecord,
    suspicious: Sequence[SuspiciousSegment],
    kinds: frozenset[str] = frozenset(),
) -> tuple[Decision, list[str]]:
    """What the numbers decide, and why not: a clip of which a part is in doubt is not called real.

    A clip is taken for forged if any part of it is. So a voice does not clear faces none of which
    could be judged, nor a face or another channel a voice; and a stretch that stands out wants a
    listener. Bystanders beside a judged face are told as missing and hold nothing up.

    Args:
        decision: by the numbers alone.
        weighed: the numbers.
        record: what was remembered of the clip.
        suspicious: the stretches that its verdict shows.
        kinds: as of `judge`.

    Returns:
        The decision, and the doubts that made it ``inconclusive``, in words.
    """
    if decision is not Decision.REAL:
        return decision, []
    doubts = []
    faces, voices = weighed.llrs.get("visual_forgery"), weighed.llrs.get("voice_clone")
    if UNDECODED_PICTURE in kinds:
        doubts.append("its picture could not be decoded")
    if record.face_sizes_px and faces is not None and not faces:
        doubts.append("no face in it could be judged")
    if voices is not None:
        heard = [name for name, speech_s in record.speech_s.items() if speech_s >= LEAST_SPEECH_S]
        unjudged = [part for name in sorted(heard) if (part := Part(channel=name)) not in voices]
        doubts += [f"the voice of {part} could not be judged" for part in unjudged]
    if suspicious:
        worst = max(suspicious, key=lambda s: s.score)
        where = f"{Part(worst.channel, worst.face_track)} from {worst.start_s:.1f} s on"
        doubts.append(f"{where} stands out from the rest as forged")
    return (Decision.INCONCLUSIVE if doubts else decision), doubts


def run_branches(
    branches: Mapping[str, Branch], observations: Sequence[Observation]
) -> list[dict[str, list[BranchOutput]]]:
    """What every branch says of every observation, all in one batch: per observation, by branch."""
    outputs = {name: branch.run(observations) for name, branch in branches.items()}
    return [
        {name: found[index] for name, found in outputs.items()}
        for index in range(len(observations))
    ]


def _pool(branch: Branch, record: ClipRecord) -> list[PartScore]:
    parts = record.outputs.get(branch.name, {})
    return [branch.pool(part, parts[part]) for part in sorted(parts, key=str)]


def _branch_verdict(
    scores: Sequence[PartScore], llrs: Mapping[Part, float], record: ClipRecord
) -> BranchVerdict:
    parts = [
        PartVerdict(
            channel=score.part.channel,
            face_track=score.part.face_track,
            start_s=None if score.segment is None else round(score.segment.start_s, 3),
            end_s=None if score.segment is None else round(score.segment.end_s, 3),
            fake_llr=_rounded(llrs.get(score.part)),
            missing=score.missing,
        )
        for score in scores
    ]
    heard = {part.channel for part in parts}
    for (copy, original), seconds in sorted(record.copied_s.items()):
        is_copy = seconds > _COPY_SHARE * record.end_s and copy not in heard
        if is_copy and any(p.channel == original and p.face_track is None for p in parts):
            parts.append(PartVerdict(channel=copy, missing=f"carries the same sound as {original}"))
    return BranchVerdict(
        fake_llr=_rounded(combine_parts(list(llrs.values()))),
        quality=round(
            max((s.quality for s in scores if s.score is not None), default=0.0), _PLACES
        ),
        parts=tuple(parts),
    )


def _part_verdict(subject: Subject, score: FusedScore, record: ClipRecord) -> PartVerdict:
    return PartVerdict(
        channel=subject.part.channel,
        face_track=subject.part.face_track,
        start_s=0.0,
        end_s=round(record.end_s, 3),
        fake_llr=_rounded(score.fake_llr),
    )


def _modalities(scores: Sequence[FusedScore]) -> Modalities:
    def worst(name: str) -> float | None:
        values = [getattr(score, name) for score in scores]
        return _rounded(combine_parts([value for value in values if value is not None]))

    return Modalities(
        audio_fake=worst("audio_fake"),
        video_fake=worst("video_fake"),
        out_of_sync=worst("out_of_sync"),
    )


def _quality(record: ClipRecord) -> Quality:
    bandwidths = [float(np.median(values)) for values in record.bandwidths_hz.values() if values]
    sizes = [float(np.median(values)) for values in record.face_sizes_px.values() if values]
    return Quality(
        speech_s=round(max(record.speech_s.values()), 3) if record.speech_s else None,
        bandwidth_hz=round(max(bandwidths), 1) if bandwidths else None,
        face_px=round(max(sizes), 1) if sizes else None,
        frames_used=record.n_face_frames,
        faces_seen=len(record.face_sizes_px),
        more_faces=record.faces_unfollowed > 0,
    )


_NEEDS = {
    "voice_clone": (("audio", "the input has no sound"),),
    "visual_forgery": (("picture", "the input has no picture"),),
    "lip_sync": (
        ("audio", "the input has no sound"),
        ("picture", "the input has no picture"),
    ),
}


def _why_missing(
    name: str, scores: Sequence[PartScore], record: ClipRecord, kinds: frozenset[str]
) -> str:
    """Why a branch judged nothing, in words a user can act on."""
    present = kinds | ({"picture"} if kinds & {"video", "image"} else set())
    for kind, reason in _NEEDS.get(name, ()):
        if kind not in present:
            return reason
    if name == "lip_sync" and "image" in kinds:
        return "a photograph does not speak"
    if name != "voice_clone" and UNDECODED_PICTURE in kinds:
        return "no picture could be decoded: its stream is damaged"
    if name != "voice_clone" and not record.face_sizes_px:
        return "no face found in the picture"
    seen = [score for score in scores if score.part.face_track is not None]
    reasons = Counter(score.missing for score in seen or scores if score.missing)
    if reasons:
        return reasons.most_common(1)[0][0]
    if name != "visual_forgery" and sum(record.speech_s.values()) == 0:
        return "no speech found in the sound"
    return "nothing usable was found"


def _reason(
    decision: Decision,
    worst: tuple[Subject, FusedScore] | None,
    n_subjects: int,
    missing: Mapping[str, str],
    doubts: Sequence[str],
) -> str:
    if worst is None:
        return "not judged: " + "; ".join(dict.fromkeys(missing.values()))
    if doubts:
        words = decision_words(Decision.REAL, *worst, n_subjects)
        return f"not called real, because {' and '.join(doubts)}; otherwise it would be: {words}"
    return decision_words(decision, *worst, n_subjects)


def _rounded(value: float | None) -> float | None:
    # + 0.0 turns -0.0 into 0.0, which reads better and compares equal as text
    return None if value is None else round(value, _PLACES) + 0.0
