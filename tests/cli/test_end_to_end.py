"""The whole way from files to verdicts and pages, with the embedded models."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import wave
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest

import avdetect
from avdetect.cli import scan
from avdetect.cli.app import run
from avdetect.detector import Detector
from avdetect.doctor import babble
from tests import synth

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
SCHEMA = json.loads((Path(avdetect.__file__).parent / "schema/verdict-1.json").read_text("utf-8"))
RATE_HZ = 16_000


@pytest.fixture(scope="module")
def loaded() -> Detector:
    return Detector.load(device="cpu")


@pytest.fixture(autouse=True)
def load_once(loaded: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "_load_detector", lambda request: loaded)


def scan_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[dict]]:
    code = run(["scan", "--json", *map(str, arguments)])
    verdicts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for verdict in verdicts:
        jsonschema.validate(verdict, SCHEMA)
    return code, verdicts


def write_wav(path: Path, *channels: np.ndarray) -> Path:
    samples = np.stack([np.asarray(channel * 32767, "<i2") for channel in channels], axis=1)
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(len(channels))
        stream.setsampwidth(2)
        stream.setframerate(RATE_HZ)
        stream.writeframes(samples.tobytes())
    return path


def test_frames_of_all_clips_become_one_table(capsys, tmp_path):
    target = tmp_path / "frames.csv"
    clips = [SAMPLES / "call_synthetic.wav", tmp_path / "gone.wav", SAMPLES / "portrait_forged.mp4"]
    code, verdicts = scan_json(capsys, *clips, "--cues", "none", "--frames", target)
    assert code == 3 and len(verdicts) == 3
    with target.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    seen = {(row["path"], row["branch"]) for row in rows}
    assert seen == {
        (str(clips[0]), "voice_clone"),
        (str(clips[2]), "voice_clone"),
        (str(clips[2]), "visual_forgery"),
    }
    assert all(float(row["end_s"]) - float(row["start_s"]) < 0.03 for row in rows)


def test_a_table_of_before_outlives_a_run_in_which_nothing_could_be_read(capsys, tmp_path):
    target, clip = tmp_path / "frames.csv", tmp_path / "empty.wav"
    target.write_text("before")
    clip.touch()
    assert scan_json(capsys, clip, "--frames", target)[0] == 3
    assert target.read_text() == "before"


def test_samples_are_judged_and_filed(capsys, tmp_path):
    code, verdicts = scan_json(capsys, SAMPLES, "--report", tmp_path / "pages")
    by_name = {Path(verdict["input"]["path"]).name: verdict for verdict in verdicts}
    assert list(by_name) == sorted(by_name)
    assert code == (3 if any(v["decision"] == "inconclusive" for v in verdicts) else 0)
    assert len(list((tmp_path / "pages").glob("*.html"))) == len(verdicts)

    call = by_name["call_synthetic.wav"]["branches"]["voice_clone"]
    assert [part["channel"] for part in call["parts"]] == ["left", "right"]
    assert all(part["fake_llr"] is not None for part in call["parts"])
    portrait = by_name["portrait_forged.mp4"]
    assert portrait["branches"]["visual_forgery"]["fake_llr"] is not None
    photo = by_name["portrait_real.jpg"]
    assert set(photo["missing"]) == {"voice_clone", "lip_sync"}
    hold = by_name["hold_tone.ogg"]
    assert (hold["decision"], hold["error"]) == ("inconclusive", None)
    assert set(hold["missing"]) == {"voice_clone", "visual_forgery", "lip_sync"}


def test_same_clip_gives_the_same_verdict_whatever_came_with_it(capsys, tmp_path):
    clip, other = SAMPLES / "call_synthetic.wav", SAMPLES / "hold_tone.ogg"
    _, (alone,) = scan_json(capsys, clip)
    _, (_, among) = scan_json(capsys, other, clip)
    _, (filed,) = scan_json(capsys, clip, "--report", tmp_path)
    assert alone == among == filed


def test_raw_sound_is_judged_as_the_same_sound_with_a_header(capsys, tmp_path):
    voice = babble(6.0)
    _, (wav,) = scan_json(capsys, write_wav(tmp_path / "a.wav", voice))
    (tmp_path / "a.raw").write_bytes(np.asarray(voice * 32767, "<i2").tobytes())
    _, (raw,) = scan_json(capsys, tmp_path / "a.raw", "--format", "s16le", "--rate", RATE_HZ)
    assert raw["fake_llr"] == wav["fake_llr"] is not None
    assert raw["timeline"] == wav["timeline"]


def test_standard_input_is_judged_as_the_file(capsys, monkeypatch):
    clip = SAMPLES / "call_synthetic.wav"
    _, (file,) = scan_json(capsys, clip)
    stdin = SimpleNamespace(buffer=io.BytesIO(clip.read_bytes()), isatty=lambda: False)
    monkeypatch.setattr("sys.stdin", stdin)
    _, (piped,) = scan_json(capsys, "-")
    assert piped["input"].pop("path") == "-"
    del file["input"]["path"]
    assert piped == file


def test_channel_option_judges_that_channel_only(capsys, tmp_path):
    clip = write_wav(tmp_path / "call.wav", babble(5.0, seed=2), babble(5.0, seed=5))
    _, (left,) = scan_json(capsys, clip, "--channel", "left")
    assert [part["channel"] for part in left["branches"]["voice_clone"]["parts"]] == ["left"]
    _, (second,) = scan_json(capsys, clip, "--channel", "1")
    assert [part["channel"] for part in second["branches"]["voice_clone"]["parts"]] == ["right"]


def test_a_channel_that_is_not_there_is_told(capsys, tmp_path):
    clip = write_wav(tmp_path / "mono.wav", babble(3.0))
    code, (verdict,) = scan_json(capsys, clip, "--channel", "7")
    assert code == 3
    assert verdict["error"] is not None
    assert "7" in verdict["error"]["message"]


def test_prior_moves_the_probability_and_not_the_evidence(capsys):
    clip = SAMPLES / "call_synthetic.wav"
    _, (even,) = scan_json(capsys, clip)
    _, (rare,) = scan_json(capsys, clip, "--prior-fake", "0.001")
    assert rare["fake_llr"] == even["fake_llr"]
    assert rare["prior_fake"] == 0.001
    odds = np.exp(even["fake_llr"]) * 0.001 / 0.999
    assert rare["fake_probability"] == pytest.approx(odds / (1 + odds), rel=1e-2)


def bad_inputs(folder: Path) -> list[Path]:
    (folder / "empty.wav").touch()
    (folder / "text.mp4").write_text("this is no video\n" * 50)
    (folder / "two\nlines.wav").write_bytes(b"RIFF")
    os.mkfifo(folder / "pipe.wav")
    (folder / "nothing").mkdir()
    whole = write_wav(folder / "whole.wav", synth.tone(2.0)).read_bytes()
    (folder / "whole.wav").unlink()
    (folder / "header_only.wav").write_bytes(whole[:44])
    return [*sorted(folder.iterdir()), folder / "absent.wav"]


def test_every_bad_input_is_one_line_and_none_stops_the_rest(capsys, tmp_path):
    bad = bad_inputs(tmp_path)
    good = SAMPLES / "portrait_real.jpg"
    assert run(["scan", *map(str, [*bad, good]), "--quiet"]) == 3
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert len(lines) == len(bad) + 1
    assert all("NOT JUDGED" in line for line in lines[:-1])
    assert "NOT JUDGED" not in lines[-1]
    assert captured.err == ""
    assert "Traceback" not in captured.out


def test_a_name_that_is_not_text_is_judged_shown_and_filed(capsys, tmp_path):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg")
    Path(name).write_bytes((SAMPLES / "portrait_real.jpg").read_bytes())
    code, (verdict,) = scan_json(capsys, name, "--report", tmp_path / "pages")
    assert code in {0, 3}
    assert verdict["error"] is None
    assert verdict["input"]["path"].endswith("caf\\xe9.jpg")
    (page,) = (tmp_path / "pages").iterdir()
    assert "caf\\xe9.jpg" in page.read_text("utf-8")


@pytest.mark.slow
def test_ctrl_c_leaves_no_half_page_and_tells_what_is_done(tmp_path):
    long = write_wav(tmp_path / "long.wav", np.tile(babble(60.0), 30))
    pages = tmp_path / "pages"
    words = ["scan", SAMPLES / "hold_tone.ogg", long, "--json", "--report", pages]
    with subprocess.Popen(
        [sys.executable, "-m", "avdetect", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, error = process.communicate()
    assert json.loads(first)["decision"] == "inconclusive"
    assert process.returncode == 130
    assert out == ""
    assert error == "avdetect: interrupted: 1 of 2 inputs done\n"
    assert [path.name.split("-")[0] for path in pages.iterdir()] == ["hold_tone"]


@pytest.mark.slow
def test_doctor_finds_all_well(capsys):
    assert run(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "PROBLEM" not in out
    assert "self-test" in out
    assert out.endswith("all is well\n")


def test_models_are_listed_shown_and_whole(capsys):
    assert run(["models", "list"]) == 0
    assert "bundle default" in capsys.readouterr().out
    assert run(["models", "show", "default"]) == 0
    assert "voice_clone: " in capsys.readouterr().out
    assert run(["models", "verify", "default"]) == 0
    assert all(line.startswith("ok ") for line in capsys.readouterr().out.splitlines())


def test_an_unknown_model_is_wrong_usage(capsys, monkeypatch):
    monkeypatch.undo()
    assert run(["models", "show", "no-such"]) == 2
    assert run(["scan", str(SAMPLES), "--model", "no-such"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("avdetect: no model") for line in lines)
