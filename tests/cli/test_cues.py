"""``avdetect cues`` tells what is measured and what it is worth."""

from __future__ import annotations

import pytest

from avdetect.cli.app import run
from avdetect.cues import CUES


def test_every_cue_is_listed_with_what_it_looks_for(capsys):
    assert run(["cues"]) == 0
    out = capsys.readouterr().out
    for cue in CUES.values():
        assert f"{cue.name}  {cue.title}: {cue.measures}" in out
        assert cue.reference in out


def test_one_cue_is_told_by_its_name(capsys):
    assert run(["cues", "exposure"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("exposure  Exposure")
    assert "looks at video, still" in lines[1]


@pytest.mark.parametrize("arguments", [["cues", "tarot"], ["scan", "x.wav", "--cues", "tarot"]])
def test_a_cue_that_there_is_not_is_refused(capsys, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.wav").write_bytes(b"RIFF")
    assert run(arguments) == 2
    assert "tarot" in capsys.readouterr().err
