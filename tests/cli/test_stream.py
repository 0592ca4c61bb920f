"""What `avdetect stream` prints and returns, by the real command on a real pipe."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from avdetect.cli.app import run
from avdetect.detector import Detector
from tests.streaming.calls import RATE_HZ, call_legs


@pytest.fixture
def standard_input(monkeypatch):
    def give(data: bytes, *, terminal: bool = False):
        stdin = SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: terminal)
        monkeypatch.setattr("sys.stdin", stdin)

    return give


def test_a_call_gives_judgements_line_by_line_and_the_verdict_of_a_scan(standard_input, capsys):
    sound = call_legs()[0]
    standard_input(sound)
    code = run(["stream", "--fail-on", "fake"])
    *judgements, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert len(judgements) > 5
    assert {judgement["type"] for judgement in judgements} == {"judgement"}
    options = {"format": "ulaw", "rate": RATE_HZ, "name": "-", "cues": "none"}
    scanned = Detector.load(device="cpu").scan(sound, **options)
    assert last["verdict"] == json.loads(scanned.to_json())
    assert code == {"fake": 1, "inconclusive": 3, "real": 0}[scanned.decision]


def test_two_legs_have_a_verdict_each(standard_input, capsys):
    legs = call_legs()
    standard_input(bytes(byte for pair in zip(*legs, strict=True) for byte in pair))
    assert run(["stream", "--track", "customer", "--track", "agent"]) in (0, 3)
    found = map(json.loads, capsys.readouterr().out.splitlines())
    verdicts = [line["track"] for line in found if line["type"] == "verdict"]
    assert verdicts == ["customer", "agent"]


def test_silence_is_not_judged(standard_input, capsys):
    standard_input(b"\xff" * 4 * RATE_HZ)
    assert run(["stream"]) == 3
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["verdict"]["decision"] == "inconclusive"


def test_an_empty_input_is_told_in_one_line(standard_input, capsys):
    standard_input(b"")
    assert run(["stream"]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("avdetect: standard input is empty")


def test_a_terminal_is_no_call(standard_input, capsys):
    standard_input(b"", terminal=True)
    assert run(["stream"]) == 2
    assert "pipe" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["--rate", "44100"],
        ["--format", "mp3"],
        ["--prior-fake", "0"],
        ["--stop-at", "1"],
        ["--track", "a", "--track", "a"],
        ["--track", "a", "--track", "b", "--track", "c"],
        ["call.ul"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(standard_input, capsys, options):
    standard_input(b"\xff")
    assert run(["stream", *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1


def test_ctrl_c_ends_the_call_and_its_verdict_follows():
    process = subprocess.Popen(
        [sys.executable, "-m", "avdetect", "stream", "--device", "cpu"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    process.stdin.write(call_legs()[0][: 6 * RATE_HZ])
    process.stdin.flush()
    first = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    last = json.loads(out.splitlines()[-1])
    assert first["type"] == "judgement"
    assert last["type"] == "verdict"
    assert last["verdict"]["fake_llr"] is not None
    assert process.returncode == 130
    assert b"interrupted" in err
