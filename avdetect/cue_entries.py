"""What cues found, as it stands in a verdict, and what it adds to the parts it speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from avdetect.cues.session import CueFinding
from avdetect.cues.worth import CueWorth
from avdetect.findings import CUES
from avdetect.fusion.cross_attention import FusedScore
from avdetect.fusion.subjects import Subject
from avdetect.verdict import Cue, CueReliability

_PLACES = 6


def cue_entry(finding: CueFinding) -> Cue:
    """One finding as it goes on the wire."""
    found, cue = finding.measurement, finding.cue
    segment = found.segment
    return Cue(
        name=cue.name,
        title=cue.title,
        channel=found.part.channel,
        face_track=found.part.face_track,
        start_s=None if segment is None else round(segment.start_s, 3),
        end_s=None if segment is None else round(segment.end_s, 3),
        value=None if found.value is None else round(found.value, _PLACES) + 0.0,
        unit=cue.unit,
        text=found.text,
        missing=found.missing,
        fake_llr=None if finding.fake_llr is None else round(finding.fake_llr, _PLACES) + 0.0,
        reliability=None if finding.worth is None else _reliability(finding.worth),
        added_llr=round(finding.added_llr, _PLACES) + 0.0,
    )


def with_cues(
    score: FusedScore, subject: Subject, findings: Sequence[CueFinding], limit: float
) -> FusedScore:
    """A subject's fused score with what the cues add that speak of its voice, its face or the clip.

    Cues get a say only from a fusion that was shown to help; without one the score is unchanged.

    Args:
        score: of the branches.
        subject: whose score it is.
        findings: of the clip.
        limit: largest absolute LLR that the fusion's own clips allow to claim.
    """
    added = sum(finding.added_llr for finding in findings if _speaks_of(finding, subject))
    if added == 0.0:
        return score
    return replace(
        score,
        fake_llr=max(-limit, min(limit, score.fake_llr + added)),
        added={**score.added, CUES: added},
    )


def _speaks_of(finding: CueFinding, subject: Subject) -> bool:
    part = finding.measurement.part
    of_voice = part.channel is None or part.channel == subject.part.channel
    of_face = part.face_track is None or part.face_track == subject.part.face_track
    return of_voice and of_face


def _reliability(worth: CueWorth) -> CueReliability:
    return CueReliability(
        auc=round(worth.auc, 4),
        auc_low=round(worth.auc_low, 4),
        auc_high=round(worth.auc_high, 4),
        false_alarm_rate=round(worth.false_alarm_rate, 4),
        miss_rate=round(worth.miss_rate, 4),
        n_real=worth.n_real,
        n_fake=worth.n_fake,
    )
