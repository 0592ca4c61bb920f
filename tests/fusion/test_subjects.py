"""Which face goes with which voice."""

from avdetect.fusion.subjects import find_subjects
from avdetect.types import Part

LEFT, RIGHT, MONO = Part(channel="left"), Part(channel="right"), Part(channel="mono")
FACE0, FACE1 = Part(face_track=0), Part(face_track=1)


def test_two_callers_are_two_subjects():
    subjects = find_subjects({"voice_clone": {LEFT: 1.0, RIGHT: -1.0}})
    assert [s.part for s in subjects] == [LEFT, RIGHT]
    assert subjects[0].fake_llrs == {"voice_clone": 1.0}


def test_a_speaking_face_takes_its_voice_along_and_a_silent_one_stands_alone():
    pair = Part(channel="mono", face_track=1)
    subjects = find_subjects(
        {
            "voice_clone": {MONO: 0.5},
            "visual_forgery": {FACE0: -1.0, FACE1: 2.0},
            "lip_sync": {pair: 0.1},
        }
    )
    assert [s.part for s in subjects] == [pair, FACE0]
    assert subjects[0].fake_llrs == {"voice_clone": 0.5, "visual_forgery": 2.0, "lip_sync": 0.1}
    assert subjects[1].fake_llrs == {"visual_forgery": -1.0}


def test_one_face_and_one_voice_belong_together_even_without_lip_sync():
    subjects = find_subjects({"voice_clone": {MONO: 0.5}, "visual_forgery": {FACE0: -1.0}})
    assert [s.part for s in subjects] == [Part(channel="mono", face_track=0)]


def test_a_narrator_over_two_faces_is_judged_apart_from_them():
    subjects = find_subjects(
        {"voice_clone": {MONO: 0.5}, "visual_forgery": {FACE0: -1.0, FACE1: 2.0}}
    )
    assert [s.part for s in subjects] == [MONO, FACE0, FACE1]


def test_nothing_judged_no_subject():
    assert find_subjects({"voice_clone": {}}) == []
