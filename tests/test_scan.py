"""One clip through the engine with the embedded model: what fails on the way is told in words."""

from dataclasses import replace

import av
import pytest

from avdetect.archive.judging import DetectorJudge
from avdetect.archive.work import Task
from avdetect.cues import CUES
from avdetect.detector import Detector
from avdetect.errors import UsageError
from avdetect.options import ScanOptions
from avdetect.verdict import Verdict
from tests.paths import SAMPLES
from tests.synth import Sound, constant_rate, encode, numbered_pictures, speech_like

CALL = SAMPLES / "call_synthetic.wav"


@pytest.fixture(scope="module")
def detector():
    return Detector.load(device="cpu")


def with_damaged_pictures(path):
    """A film whose sound is whole and of whose pictures no packet can be decoded."""
    film = numbered_pictures(constant_rate(100, 25.0), width=160, height=120)
    encode(path, pictures=film, sound=Sound(samples=speech_like(12.0), codec="aac"))
    with av.open(str(path)) as container:
        places = [(p.pos, p.size) for p in container.demux(video=0) if p.pos is not None and p.size]
    data = bytearray(path.read_bytes())
    for position, size in places:
        data[position : position + size] = b"\xff" * size
    path.write_bytes(data)
    return path


def test_damaged_pictures_are_not_taken_for_pictures_without_a_face(detector, tmp_path):
    verdict = detector.scan(with_damaged_pictures(tmp_path / "damaged.mp4"), cues="none")
    assert verdict.error is None and "voice_clone" not in verdict.missing
    said = "no picture could be decoded: its stream is damaged"
    assert verdict.missing["visual_forgery"] == verdict.missing["lip_sync"] == said


def test_pictures_without_a_face_say_so(detector, tmp_path):
    film = numbered_pictures(constant_rate(30, 25.0), width=160, height=120)
    verdict = detector.scan(encode(tmp_path / "faceless.mp4", pictures=film), cues="none")
    assert verdict.missing["visual_forgery"] == "no face found in the picture"


def test_a_cue_that_fails_leaves_the_verdict_of_the_branches(detector, monkeypatch, caplog):
    def start(clip, tools):
        raise ZeroDivisionError("weights sum to zero")

    whole = detector.scan(CALL, cues="hum")
    monkeypatch.setitem(CUES, "hum", replace(CUES["hum"], start=start))
    verdict = detector.scan(CALL, cues="hum,metadata")
    assert verdict.branches == whole.branches and verdict.decision is whole.decision
    said = {cue.name: cue.missing for cue in verdict.cues}
    assert said["hum"] == "the cue failed on this input: ZeroDivisionError, see the log"
    assert said.keys() == {"hum", "metadata"}
    assert [record.getMessage() for record in caplog.records] == ["cue hum failed"]


def test_a_channel_may_be_given_by_its_number(detector):
    by_number, by_name = (detector.scan(CALL, channel=c, cues="none") for c in (1, "right"))
    assert by_number.branches == by_name.branches
    assert ScanOptions(channel=1) == ScanOptions(channel="1")


@pytest.mark.parametrize("channel", [-1, True, 0.5, None, "middle"])
def test_what_is_no_channel_is_refused(channel):
    with pytest.raises(UsageError, match="use all, left, right or a number"):
        ScanOptions(channel=channel)


def test_a_channel_that_is_not_there_is_final_for_a_batch(detector, tmp_path):
    path = encode(tmp_path / "mono.wav", sound=Sound(samples=speech_like(3.0), codec="pcm_s16le"))
    judge = DetectorJudge(detector, ScanOptions(channel="right", cues="none"))
    judge.begin(Task(1, str(path), "a" * 64))
    (outcome,) = judge.step()
    assert outcome.failure is None  # those are tried again
    verdict = Verdict.from_json(outcome.verdict)
    assert verdict.error.code == "limit"
    assert "mono.wav: no channel 'right', it has 1" in verdict.error.message
