"""What cues found stands in the verdict; only what was given a say moves it, within the bound."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.cue_entries import cue_entry, with_cues
from avdetect.cues import CUES
from avdetect.cues.base import Measurement, Medium
from avdetect.cues.session import CueFinding
from avdetect.cues.worth import CueWorth, LinearLlr
from avdetect.findings import decision_words
from avdetect.fusion.cross_attention import FusedScore
from avdetect.fusion.subjects import Subject
from avdetect.types import Decision, Part, Segment

CUE = CUES["exposure"]
FACE = Part(face_track=0)
SUBJECT = Subject(Part(channel="mono", face_track=0), {"visual_forgery": 0.5})
SCORE = FusedScore(
    fake_llr=0.5,
    audio_fake=None,
    video_fake=0.5,
    out_of_sync=None,
    added={"visual_forgery": 0.5},
)


def finding(*, say: float, llr: float = 2.0, part: Part = FACE) -> CueFinding:
    k = len(CUE.features)
    model = LinearLlr(
        mean=np.zeros(k), deviation=np.ones(k), weights=np.zeros(k), offset=llr, limit=5.0
    )
    worth = CueWorth(
        model=model,
        say=say,
        auc=0.8,
        auc_low=0.7,
        auc_high=0.9,
        control_auc=0.5,
        false_alarm_rate=0.1,
        miss_rate=0.2,
        n_real=40,
        n_fake=50,
    )
    measured = Measurement(
        medium=Medium.VIDEO,
        part=part,
        segment=Segment(0.0, 2.0),
        features=(0.0,) * k,
        value=1.5,
        text="seen",
    )
    return CueFinding(cue=CUE, measurement=measured, worth=worth, fake_llr=llr)


def test_a_cue_without_a_say_changes_nothing():
    assert with_cues(SCORE, SUBJECT, [finding(say=0.0)], limit=4.0) is SCORE


def test_a_cue_with_a_say_adds_its_share_and_is_named():
    score = with_cues(SCORE, SUBJECT, [finding(say=0.5)], limit=4.0)
    assert score.fake_llr == pytest.approx(1.5)
    assert score.added == {"visual_forgery": 0.5, "cues": 1.0}
    assert "forensic cues" in decision_words(Decision.FAKE, SUBJECT, score, 1)


def test_cues_of_another_face_or_channel_say_nothing_of_this_one():
    others = [finding(say=0.5, part=Part(face_track=1)), finding(say=0.5, part=Part("left"))]
    assert with_cues(SCORE, SUBJECT, others, limit=4.0) is SCORE


def test_cues_do_not_lift_a_claim_over_its_bound():
    assert with_cues(SCORE, SUBJECT, [finding(say=1.0, llr=9.0)], limit=4.0).fake_llr == 4.0


def test_the_entry_tells_value_worth_and_what_it_added():
    entry = cue_entry(finding(say=0.5))
    assert (entry.name, entry.face_track, entry.start_s, entry.end_s) == ("exposure", 0, 0.0, 2.0)
    assert (entry.value, entry.fake_llr, entry.added_llr) == (1.5, 2.0, 1.0)
    assert entry.reliability.auc == 0.8


def test_an_abstaining_cue_says_why_and_has_no_llr():
    measured = Measurement(medium=Medium.VIDEO, missing="the clip is too short")
    entry = cue_entry(CueFinding(cue=CUE, measurement=measured, worth=None, fake_llr=None))
    assert entry.missing == "the clip is too short"
    assert entry.fake_llr is None and entry.added_llr == 0.0
