"""The sentence that says which branch carried a decision."""

import pytest

from avdetect.findings import decision_words, finding_words
from avdetect.fusion.cross_attention import FusedScore
from avdetect.fusion.late import LateFusion
from avdetect.fusion.subjects import Subject
from avdetect.types import Decision, Part

FACE = Part(channel="mono", face_track=0)


def words(decision, llrs, added=None, n_subjects=1):
    score = FusedScore(
        fake_llr=0.0, audio_fake=None, video_fake=None, out_of_sync=None, added=added or llrs
    )
    return decision_words(decision, Subject(FACE, llrs), score, n_subjects)


def test_what_a_branch_adds_counts_and_not_what_it_says_alone():
    llrs = {"lip_sync": 2.0, "visual_forgery": 3.0, "voice_clone": -1.0}
    added = {"lip_sync": 1.1, "visual_forgery": 0.6, "voice_clone": -0.5}
    assert words(Decision.FAKE, llrs, added, 2) == (
        "carried by lip_sync for channel mono with face 0, the worst of 2 parts: the mouth does "
        "not speak this sound (lip_sync +2.00)"
    )
    assert words(Decision.REAL, llrs, added) == (
        "carried by voice_clone for channel mono with face 0: the voice sounds human "
        "(voice_clone -1.00)"
    )


def test_too_even_names_both_sides():
    said = words(Decision.INCONCLUSIVE, {"lip_sync": -1.0, "voice_clone": 0.8})
    assert said == (
        "too even to call for channel mono with face 0: the mouth speaks this sound (lip_sync "
        "-1.00); against that, the voice sounds synthetic (voice_clone +0.80)"
    )
    alone = words(Decision.INCONCLUSIVE, {"voice_clone": 0.9})
    assert alone.endswith("face 0: the voice sounds synthetic (voice_clone +0.90)")


@pytest.mark.parametrize("fake_llr", [-0.6, 0.0, 0.3, 0.69])
def test_what_supports_neither_side_is_not_called_human_or_synthetic(fake_llr):
    assert finding_words("voice_clone", fake_llr) == "the voice tells little either way"


def test_where_no_branch_speaks_for_it_the_prior_does():
    said = words(Decision.REAL, {"voice_clone": 0.5})
    assert said.startswith("no branch speaks for it, the prior decides: ")


def test_an_unknown_branch_keeps_its_name():
    assert finding_words("gait", 1.0) == "gait"


def test_terms_and_offset_are_the_fused_number():
    late = LateFusion({"lip_sync+voice_clone": (0.5, 0.25, 0.1)})
    llrs = {"voice_clone": 2.0, "lip_sync": -1.0}
    assert late.terms(llrs) == {"lip_sync": -0.5, "voice_clone": 0.5}
    assert late.fake_llr(llrs) == pytest.approx(0.1)
    assert late.terms({"voice_clone": 2.0}) == {"voice_clone": 2.0}


def test_a_mouth_that_disagrees_alone_may_be_a_dubbed_one():
    dubbed = {"lip_sync": 2.0, "visual_forgery": -0.5, "voice_clone": -1.0}
    for decision in (Decision.FAKE, Decision.INCONCLUSIVE):
        assert words(decision, dubbed).endswith("; a dubbed film or a voice-over looks the same")
    cloned = dubbed | {"voice_clone": 0.4}
    assert "dubbed" not in words(Decision.FAKE, cloned)
    in_step = dubbed | {"lip_sync": -2.0}
    assert "dubbed" not in words(Decision.REAL, in_step)
