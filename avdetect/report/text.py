"""A verdict for the terminal: one headline, then what carried it and what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from avdetect.report.words import (
    FACES_LEFT_OUT,
    REFERENCE_CAVEAT,
    branch_words,
    judged_parts,
    llr_words,
    missing_similarity,
    number_words,
    part_words,
    percent_words,
    plain,
    prior_words,
    sentence,
    support_words,
    time_words,
)
from avdetect.synchrony import IN_TIME_S
from avdetect.verdict import (
    BranchVerdict,
    Cue,
    Evidence,
    ReferenceVerdict,
    SuspiciousSegment,
    Verdict,
)

_MAX_EVIDENCE = 5
_MAX_PARTS = 8
_MAX_STRETCHES = 5
_MAX_CUES = 3


def headline(verdict: Verdict) -> str:
    """The verdict in one line, safe to print whatever the file is called."""
    name = plain(verdict.input.path)
    if verdict.error is not None:
        message = plain(verdict.error.message).removeprefix(f"{name}: ")
        return f"{name}: NOT JUDGED ({verdict.error.code}): {message}"
    prior = f"prior {prior_words(verdict.prior_fake)}"
    word = verdict.decision.value.upper()
    if verdict.fake_llr is None or verdict.fake_probability is None:
        return f"{name}: {word}, {prior}: {plain(verdict.reason) or 'nothing to judge'}"
    return (
        f"{name}: {word}, LLR {llr_words(verdict.fake_llr)} ({support_words(verdict.fake_llr)}), "
        f"probability of fake {percent_words(verdict.fake_probability)} at {prior}"
    )


def details(verdict: Verdict) -> list[str]:
    """What carried the verdict, what each branch says, what is missing: one line each."""
    if verdict.error is not None:
        return []
    lines = []
    if verdict.reason and verdict.fake_llr is not None:
        lines.append(f"why       {sentence(verdict.reason)}")
    lines += [
        f"branch    {_branch_line(name, branch)}"
        for name, branch in verdict.branches.items()
        if branch.fake_llr is not None
    ]
    lines += [f"evidence  {_evidence_line(item)}" for item in verdict.evidence[:_MAX_EVIDENCE]]
    if len(verdict.evidence) > _MAX_EVIDENCE:
        lines.append(f"evidence  and {len(verdict.evidence) - _MAX_EVIDENCE} more (--json)")
    lines += [f"stretch   {_stretch_line(item)}" for item in verdict.suspicious[:_MAX_STRETCHES]]
    if len(verdict.suspicious) > _MAX_STRETCHES:
        lines.append(f"stretch   and {len(verdict.suspicious) - _MAX_STRETCHES} more (--json)")
    lines += [
        f"offset    {part_words(item.channel, item.face_track)}: {item.text}"
        for item in verdict.synchrony
        if item.av_offset_s is not None and abs(item.av_offset_s) > IN_TIME_S
    ]
    lines += _cue_lines(verdict.cues)
    lines += _missing_lines(verdict)
    if verdict.reference is not None:
        lines += reference_lines(verdict.reference)
    return [plain(line) for line in lines]


def _missing_lines(verdict: Verdict) -> list[str]:
    """Branches that judged nothing, and of the others the parts that they could not judge."""
    lines = [f"{branch_words(name)}: {reason}" for name, reason in verdict.missing.items()]
    unjudged = [
        f"{branch_words(name)}, {part_words(part.channel, part.face_track)}: {part.missing}"
        for name, branch in verdict.branches.items()
        for part in branch.parts
        if branch.fake_llr is not None and part.missing is not None
    ]
    lines += unjudged[:_MAX_PARTS]
    if len(unjudged) > _MAX_PARTS:
        lines.append(f"and {len(unjudged) - _MAX_PARTS} more (--json)")
    if verdict.quality.more_faces:
        lines.append(f"faces: {FACES_LEFT_OUT}")
    return [f"missing   {line}" for line in lines]


def _cue_lines(cues: Sequence[Cue]) -> list[str]:
    """The cues that are surely better than chance, strongest first; how many more there are."""
    telling = [cue for cue in cues if cue.fake_llr is not None]
    shown = sorted(telling, key=lambda cue: -abs(cue.fake_llr or 0.0))[:_MAX_CUES]
    lines = [
        f"cue       {cue.title}, {part_words(cue.channel, cue.face_track)}: {cue.text} "
        f"(LLR {llr_words(cue.fake_llr)}; AUC {number_words(cue.reliability.auc)})"
        for cue in shown
        if cue.reliability is not None
    ]
    more = len(cues) - len(shown)
    noun = "measurement" if more == 1 else "measurements"
    return [*lines, f"cue       {more} more {noun} (--json, --report)"] if more else lines


def _branch_line(name: str, branch: BranchVerdict) -> str:
    parts = judged_parts(branch)
    shown = ", ".join(f"{part} {llr_words(llr)}" for part, llr in parts[:_MAX_PARTS])
    more = f", and {len(parts) - _MAX_PARTS} more" if len(parts) > _MAX_PARTS else ""
    return f"{branch_words(name)} {llr_words(branch.fake_llr)} ({shown}{more})"


def reference_lines(reference: ReferenceVerdict) -> list[str]:
    """How alike each channel is to the enrolled voice, or why that is not known."""
    name = reference.path
    if reference.missing:
        return [f"reference not compared with {name}: {reference.missing}"]
    lines = [
        f"reference similarity {number_words(part.similarity)} to {name} "
        f"(channel {part.channel}, {part.speech_s:.1f} s beside {reference.speech_s:.1f} s)"
        if part.similarity is not None
        else f"reference channel {part.channel}: {missing_similarity(part, reference)}"
        for part in reference.parts[:_MAX_PARTS]
    ]
    if any(part.similarity is not None for part in reference.parts):
        lines.append(f"          {REFERENCE_CAVEAT}")
    return lines


def _evidence_line(item: Evidence) -> str:
    where = part_words(item.channel, item.face_track)
    when = f"{time_words(item.start_s)}-{time_words(item.end_s)} " if item.end_s else ""
    return f"{when}{branch_words(item.branch)} {llr_words(item.fake_llr)} ({where})"


def _stretch_line(item: SuspiciousSegment) -> str:
    where = part_words(item.channel, item.face_track)
    return (
        f"{time_words(item.start_s)}-{time_words(item.end_s)} {branch_words(item.branch)} "
        f"stands out, {number_words(item.score)} of 1 ({where}); changes no number"
    )
