"""Findings as plain words: what a branch's number means, and which branch carried a decision."""

from __future__ import annotations

import math
from collections.abc import Mapping

from avdetect.fusion.cross_attention import FusedScore
from avdetect.fusion.subjects import SYNC, Subject
from avdetect.types import Decision

CUES = "cues"  # all that have a say, taken together

_FOR_FAKE = {
    "voice_clone": "the voice sounds synthetic",
    "visual_forgery": "the face looks forged",
    "lip_sync": "the mouth does not speak this sound",
    CUES: "the forensic cues point to forgery",
}
_FOR_REAL = {
    "voice_clone": "the voice sounds human",
    "visual_forgery": "the face looks untouched",
    "lip_sync": "the mouth speaks this sound",
    CUES: "the forensic cues point to a recording",
}
_FOR_NEITHER = {
    "voice_clone": "the voice tells little either way",
    "visual_forgery": "the face tells little either way",
    "lip_sync": "mouth and sound tell little either way",
    CUES: "the forensic cues tell little either way",
}
_TELLING = math.log(2.0)  # below, a likelihood ratio supports neither (ENFSI 2015)
# What sound and mouth cannot tell: both were really recorded, and not together.
_DUBBING = "a dubbed film or a voice-over looks the same"


def finding_words(branch: str, fake_llr: float) -> str:
    """What a branch's number says: ``the voice sounds synthetic``."""
    if abs(fake_llr) < _TELLING:
        return _FOR_NEITHER.get(branch, branch)
    return (_FOR_FAKE if fake_llr > 0 else _FOR_REAL).get(branch, branch)


def decision_words(decision: Decision, subject: Subject, score: FusedScore, n_subjects: int) -> str:
    """One sentence: which branch carried the decision, or what is against what.

    A branch carries what its finding adds to the fused LLR, which is not what it says alone.

    Args:
        decision: on the clip.
        subject: the part that ruled.
        score: its fused LLRs, with what each branch added.
        n_subjects: parts judged.
    """
    among = f", the worst of {n_subjects} parts" if n_subjects > 1 else ""
    where = f"{subject.part}{among}"
    ranked = sorted(score.added, key=lambda name: score.added[name])
    most_real, most_fake = ranked[0], ranked[-1]
    if decision is Decision.INCONCLUSIVE:
        leaning = max(ranked, key=lambda name: abs(score.added[name]))
        against = most_real if score.added[leaning] > 0 else most_fake
        said = _said(leaning, subject.fake_llrs, score.added)
        if score.added[leaning] * score.added[against] < 0:
            said += f"; against that, {_said(against, subject.fake_llrs, score.added)}"
        return f"too even to call for {where}: {said}{_or_dubbed(leaning, subject.fake_llrs)}"
    carrier = most_fake if decision is Decision.FAKE else most_real
    if (score.added[carrier] > 0) != (decision is Decision.FAKE):
        said = _said(carrier, subject.fake_llrs, score.added)
        return f"no branch speaks for it, the prior decides: {said}"
    said = _said(carrier, subject.fake_llrs, score.added)
    return f"carried by {carrier} for {where}: {said}{_or_dubbed(carrier, subject.fake_llrs)}"


def _or_dubbed(leading: str, fake_llrs: Mapping[str, float]) -> str:
    """A warning where nothing but the disagreement of mouth and sound speaks for forgery."""
    for_fake = {name for name, llr in fake_llrs.items() if llr > 0}
    return f"; {_DUBBING}" if leading == SYNC and for_fake == {SYNC} else ""


def _said(branch: str, fake_llrs: Mapping[str, float], added: Mapping[str, float]) -> str:
    llr = fake_llrs[branch] if branch in fake_llrs else added[branch]
    return f"{finding_words(branch, llr)} ({branch} {round(llr, 2) + 0.0:+.2f})"
