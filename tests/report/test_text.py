"""The verdict as lines for the terminal."""

from __future__ import annotations

from avdetect.report.text import details, headline
from avdetect.verdict import PartVerdict
from tests.report import known


def test_details_name_what_carried_it_and_what_is_missing():
    lines = details(known.fake_call())
    assert "why       The voice on the left channel carries the decision." in lines
    assert "branch    voice clone +4.21 (channel left +4.21, channel right -1.90)" in lines
    assert "missing   lip sync: no face speaks while the sound does" in lines
    assert "evidence  0:12.0-0:20.0 voice clone +4.40 (channel left)" in lines


def test_details_name_the_parts_that_could_not_be_judged_beside_others():
    verdict = known.fake_call()
    voice = verdict.branches["voice_clone"]
    faint = PartVerdict(channel="third", missing="too little speech: 0.4 s found, 1.0 s needed")
    parts = {"voice_clone": voice.model_copy(update={"parts": (*voice.parts, faint)})}
    lines = details(verdict.model_copy(update={"branches": verdict.branches | parts}))
    assert (
        "missing   voice clone, channel third: too little speech: 0.4 s found, 1.0 s needed"
        in lines
    )


def test_details_say_that_more_faces_were_seen_than_judged():
    crowd = known.fake_call().quality.model_copy(update={"more_faces": True})
    (line,) = [
        line
        for line in details(known.fake_call().model_copy(update={"quality": crowd}))
        if "largest are followed" in line
    ]
    assert line.startswith("missing   faces: ")


def test_stretches_that_stand_out_are_told_apart_from_evidence():
    assert (
        "stretch   0:12.3-0:13.3 voice clone stands out, 0.83 of 1 (channel left); "
        "changes no number"
    ) in details(known.fake_call())


def test_details_tell_how_alike_an_enrolled_voice_is():
    lines = details(known.referenced_call())
    assert "reference similarity 0.62 to customer.wav (channel left, 41.3 s beside 20.3 s)" in lines
    assert "reference channel right: too little speech here: 1.2 s" in lines
    assert any("similarity is not identity" in line for line in lines)


def test_details_tell_why_an_enrolled_voice_was_not_compared():
    lines = details(known.uncompared_call())
    assert "reference not compared with customer.wav: no speaker model: name one" in lines
    assert not any("identity" in line for line in lines)


def test_details_tell_an_offset_and_pass_over_sound_that_is_in_time():
    (line,) = [line for line in details(known.talking_face()) if line.startswith("offset")]
    assert "channel left with face 0: the sound is 120 ms late" in line
    for offset_s in (0.04, None):
        found = known.talking_face().synchrony[0].model_copy(update={"av_offset_s": offset_s})
        verdict = known.talking_face().model_copy(update={"synchrony": (found,)})
        assert not any(line.startswith("offset") for line in details(verdict))


def test_a_verdict_without_evidence_says_why_in_its_headline():
    verdict = known.silent_verdict()
    assert headline(verdict) == (
        "hum.wav: INCONCLUSIVE, prior 50 %: Nothing could be judged: no speech was found."
    )


def test_every_line_stays_one_line():
    verdict = known.fake_call("a\nb.wav")
    verdict = verdict.model_copy(update={"missing": {"lip_sync": "two\nlines"}})
    assert all("\n" not in line for line in [headline(verdict), *details(verdict)])
