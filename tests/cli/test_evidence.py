"""`avdetect scan --evidence-video`: what is refused at once, what is handed on."""

from __future__ import annotations

import io
from types import SimpleNamespace

import av
import pytest

from avdetect.cli.app import run
from tests.synth import Sound, constant_rate, encode, numbered_pictures, tone


def refused(capsys, *arguments):
    assert run(["scan", *map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("avdetect: ") and captured.err.count("\n") == 1
    return captured.err


@pytest.fixture
def video(tmp_path):
    return encode(tmp_path / "a.mp4", pictures=numbered_pictures(constant_rate(5, 25.0)))


def test_several_inputs_are_refused_before_judging(detector, clips, capsys):
    said = refused(capsys, clips, "--evidence-video", clips / "out.mp4")
    assert "one clip; 4 inputs were given" in said
    assert detector.asked == []


@pytest.mark.parametrize("out", ["a.mp4", "gone/out.mp4", "out.avi"])
def test_a_senseless_place_is_refused_before_judging(detector, video, capsys, out):
    said = refused(capsys, video, "--evidence-video", video.parent / out)
    assert out in said
    assert detector.asked == []


def test_sound_alone_is_refused_by_name_before_judging(detector, tmp_path, capsys):
    path = encode(tmp_path / "a.wav", sound=Sound(samples=tone(1.0), codec="pcm_s16le"))
    said = refused(capsys, path, "--evidence-video", tmp_path / "out.mp4")
    assert "a.wav: has no picture" in said
    assert detector.asked == []


def test_headerless_sound_is_refused(detector, tmp_path, capsys):
    raw = ["--format", "ulaw", "--rate", "8000"]
    said = refused(capsys, tmp_path / "a.ul", *raw, "--evidence-video", tmp_path / "out.mp4")
    assert "needs a picture" in said


def test_standard_input_is_refused(detector, tmp_path, capsys, monkeypatch):
    stdin = SimpleNamespace(buffer=io.BytesIO(b"fake"), isatty=lambda: False)
    monkeypatch.setattr("sys.stdin", stdin)
    said = refused(capsys, "-", "--evidence-video", tmp_path / "out.mp4")
    assert "give a file" in said


def test_a_clip_that_is_not_there_has_its_verdict_and_no_video(tmp_path, capsys):
    out = tmp_path / "out.mp4"
    code = run(["scan", str(tmp_path / "gone.mp4"), "--evidence-video", str(out)])
    assert code == 3
    assert "NOT JUDGED (not_found)" in capsys.readouterr().out
    assert not out.exists()


@pytest.mark.slow
def test_a_clip_without_a_face_has_its_video(video, capsys):
    out = video.parent / "out.mp4"
    assert run(["scan", str(video), "--evidence-video", str(out)]) == 3
    assert "no face found" in capsys.readouterr().out
    with av.open(str(out)) as container:
        assert container.streams.video[0].frames == 5
