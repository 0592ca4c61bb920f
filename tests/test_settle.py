"""What keeps a clip from being called real, whatever its number says."""

import pytest

from avdetect.judgement import UNDECODED_PICTURE, Weighed, settle
from avdetect.record import ClipRecord
from avdetect.types import Decision, Part
from avdetect.verdict import SuspiciousSegment

VOICE, FACE = Part("mono"), Part(face_track=0)
STRETCH = SuspiciousSegment(
    branch="voice_clone", channel="mono", face_track=None, start_s=39.1, end_s=40.1, score=0.8
)


def weighed(**llrs):
    return Weighed(scores={}, llrs=llrs, fused=(), fake_llr=-2.0)


def record(*, faces=0, **speech_s):
    found = ClipRecord()
    found.speech_s.update(speech_s)
    found.face_sizes_px.update({track: [40.0] for track in range(faces)})
    return found


def settled(numbers, seen, suspicious=(), decision=Decision.REAL, kinds=frozenset()):
    return settle(decision, numbers, seen, suspicious, kinds)


def test_what_was_judged_throughout_stays_real():
    both = weighed(voice_clone={VOICE: -2.0}, visual_forgery={FACE: -1.0})
    assert settled(both, record(mono=9.0, faces=1)) == (Decision.REAL, [])


def test_a_call_without_a_picture_stays_real():
    alone = weighed(voice_clone={VOICE: -2.0}, visual_forgery={})
    assert settled(alone, record(mono=9.0)) == (Decision.REAL, [])


def test_one_judged_face_is_enough_beside_bystanders():
    both = weighed(voice_clone={VOICE: -2.0}, visual_forgery={FACE: -1.0})
    assert settled(both, record(mono=9.0, faces=3))[0] is Decision.REAL


@pytest.mark.parametrize(
    ("numbers", "seen", "said"),
    [
        (weighed(voice_clone={VOICE: -2.0}, visual_forgery={}), record(faces=1), "no face"),
        (weighed(voice_clone={}, visual_forgery={FACE: -2.0}), record(mono=3.0), "the voice"),
    ],
)
def test_what_could_not_be_judged_is_not_cleared_by_the_rest(numbers, seen, said):
    decision, (doubt,) = settled(numbers, seen)
    assert decision is Decision.INCONCLUSIVE
    assert doubt.startswith(said)


def test_a_word_beside_a_face_is_no_voice_to_judge():
    face = weighed(voice_clone={}, visual_forgery={FACE: -2.0})
    assert settled(face, record(mono=0.4, faces=1))[0] is Decision.REAL


def test_a_leg_that_was_not_judged_is_not_cleared_by_the_other():
    left = weighed(voice_clone={Part("left"): -2.0})
    decision, (doubt,) = settled(left, record(left=30.0, right=30.0))
    assert decision is Decision.INCONCLUSIVE
    assert doubt == "the voice of channel right could not be judged"


def test_two_legs_of_too_little_speech_are_no_voice_to_judge():
    face = weighed(voice_clone={}, visual_forgery={FACE: -2.0})
    assert settled(face, record(left=0.6, right=0.6, faces=1))[0] is Decision.REAL


def test_sound_does_not_clear_a_picture_that_cannot_be_decoded():
    voice, seen = weighed(voice_clone={VOICE: -2.0}, visual_forgery={}), record(mono=9.0)
    kinds = frozenset({"audio", "video", UNDECODED_PICTURE})
    decision, doubts = settled(voice, seen, kinds=kinds)
    assert (decision, doubts) == (Decision.INCONCLUSIVE, ["its picture could not be decoded"])


def test_a_model_without_a_branch_does_not_miss_it():
    assert settled(weighed(visual_forgery={FACE: -2.0}), record(mono=9.0))[0] is Decision.REAL


def test_a_stretch_that_stands_out_wants_a_listener():
    decision, (doubt,) = settled(weighed(voice_clone={VOICE: -2.0}), record(mono=90.0), (STRETCH,))
    assert decision is Decision.INCONCLUSIVE
    assert "channel mono from 39.1 s on" in doubt


@pytest.mark.parametrize("decision", [Decision.FAKE, Decision.INCONCLUSIVE])
def test_other_decisions_stand(decision):
    nothing = weighed(voice_clone={}, visual_forgery={})
    assert settled(nothing, record(mono=3.0, faces=1), (STRETCH,), decision) == (decision, [])
