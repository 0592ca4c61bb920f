"""`avdetect batch` as a user calls it: what it refuses, prints, writes and returns."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from avdetect.archive.fingerprint import model_fingerprint
from avdetect.cli.app import run
from avdetect.options import ScanOptions
from tests.paths import SAMPLES


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--out", "results.csv"], "name the results"),
        (["--out", "r.jsonl", "--workers", "0"], "--workers"),
        (["--out", "r.jsonl", "--gpus", "0.5"], "--engine ray"),
        (["--out", "r.jsonl", "--stall-limit", "0"], "--stall-limit"),
        (["--out", "r.jsonl", "--device", "tpu"], "--device"),
        (["--out", "r.jsonl", "--prior-fake", "1"], "prior_fake"),
        (["--out", "r.jsonl", "--model", "nothing"], "no model bundle"),
        ([], "--out"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(tmp_path, monkeypatch, capsys, options, words):
    monkeypatch.chdir(tmp_path)
    assert run(["batch", str(SAMPLES), *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert run(["batch", str(SAMPLES), "--out", str(tmp_path / "r.jsonl")]) == 2
    assert 'pip install "avdetect[batch]"' in capsys.readouterr().err


def test_a_folder_that_is_not_there_cannot_be_judged(tmp_path, capsys):
    assert run(["batch", str(tmp_path / "none"), "--out", str(tmp_path / "r.jsonl")]) == 3
    assert "no such folder or manifest" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_fingerprint_follows_everything_that_a_verdict_depends_on():
    options = [ScanOptions(), ScanOptions(prior_fake=0.1), ScanOptions(channel="left")]
    assert len({model_fingerprint("default", each) for each in options}) == 3
    assert model_fingerprint("default", ScanOptions()) == model_fingerprint("default", options[0])


@pytest.mark.slow
def test_an_archive_gets_the_verdicts_that_scan_gives(tmp_path, capsys):
    folder = tmp_path / "archive"
    shutil.copytree(SAMPLES, folder)
    shutil.copy(SAMPLES / "hold_tone.ogg", folder / "again.ogg")
    (folder / "broken.wav").write_bytes(b"RIFF this is no sound")
    (folder / "empty.mp4").touch()
    out = tmp_path / "results.jsonl"
    assert run(["batch", str(folder), "--out", str(out), "--workers", "1", "--device", "cpu"]) == 3
    printed = capsys.readouterr().out.splitlines()
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert printed[0] == f"{out}: {len(rows)} rows, one for every input"
    assert "2  unreadable_media" in " ".join(printed).replace("      ", "")
    run(["scan", str(folder), "--json", "--device", "cpu"])
    scanned = {v["input"]["path"]: v for v in map(json.loads, capsys.readouterr().out.splitlines())}
    assert {row["path"] for row in rows} == set(scanned)
    for row in rows:
        verdict = scanned[row["path"]]
        assert (row["decision"], row["missing"] == "") == (
            verdict["decision"],
            not verdict["missing"],
        )
        # One thread adds in another order than scan's threads do: the sixth digit may differ.
        assert row["fake_llr"] == (
            verdict["fake_llr"] and pytest.approx(verdict["fake_llr"], abs=2e-6)
        )
        assert row["error_code"] == (verdict["error"] and verdict["error"]["code"])
        assert Path(row["path"]).name == Path(row["verdict"]["input"]["path"]).name
