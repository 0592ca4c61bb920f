"""``avdetect seal`` and ``avdetect verify`` as a shell sees them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from avdetect.cli.app import run
from avdetect.provenance.verification import Verification
from tests.provenance.clips import RATE_HZ, speech, write
from tests.synth import ulaw_bytes


@pytest.fixture
def desk(tmp_path) -> Path:
    assert run(["seal", "--new-key", str(tmp_path / "desk.pem")]) == 0
    return tmp_path / "desk.pem"


@pytest.fixture
def call(tmp_path, desk) -> Path:
    path = write(tmp_path / "call.wav", speech(6.0))
    assert run(["seal", str(path), "--key", str(desk)]) == 0
    return path


def verify(path: Path, desk: Path, *options: str) -> int:
    return run(["verify", str(path), "--public-key", f"{desk}.pub", *options])


def test_a_new_key_is_announced_with_its_fingerprint(tmp_path, capsys):
    desk = tmp_path / "new.pem"
    assert run(["seal", "--new-key", str(desk)]) == 0
    private, public = capsys.readouterr().out.splitlines()
    assert private.startswith(f"{desk}: private key ")
    assert public.startswith(f"{desk}.pub: public key")


def test_sealing_and_verifying_an_untouched_recording_exits_0(call, desk, capsys):
    capsys.readouterr()
    assert verify(call, desk) == 0
    headline, facts = capsys.readouterr().out.splitlines()
    assert headline == f"{call}: UNTOUCHED: every byte is as it was sealed"
    assert "sealed as call.wav by key" in facts


def test_the_recording_itself_is_not_touched(tmp_path, desk):
    path = write(tmp_path / "a.wav", speech(1.0))
    before = path.read_bytes()
    run(["seal", str(path), "--key", str(desk)])
    assert path.read_bytes() == before


def test_re_encoding_exits_4_and_editing_1(call, desk, tmp_path, capsys):
    again = write(tmp_path / "again.m4a", speech(6.0))
    assert verify(again, desk, "--seal", f"{call}.seal") == 4
    samples = speech(6.0)
    samples[2 * RATE_HZ : 4 * RATE_HZ] = 0.0
    edited = write(tmp_path / "edited.m4a", samples)
    capsys.readouterr()
    assert verify(edited, desk, "--seal", f"{call}.seal") == 1
    lines = capsys.readouterr().out.splitlines()
    assert "EDITED" in lines[0]
    assert "other content is in its place" in lines[2]


def test_json_is_the_verification_and_nothing_else(call, desk, tmp_path, capsys):
    other = write(tmp_path / "other.wav", speech(6.0, seed=9))
    capsys.readouterr()
    assert verify(other, desk, "--seal", f"{call}.seal", "--json") == 1
    result = Verification.model_validate_json(capsys.readouterr().out)
    assert result.outcome.value == "unrelated"
    assert json.loads(result.to_json())["seal"]["sealed_name"] == "call.wav"


def test_a_seal_by_a_key_the_user_does_not_trust_exits_3(call, desk, tmp_path, capsys):
    run(["seal", "--new-key", str(tmp_path / "other.pem")])
    capsys.readouterr()
    assert verify(call, tmp_path / "other.pem") == 3
    assert "not by the one you trust" in capsys.readouterr().err


def test_a_tampered_seal_exits_3(call, desk, capsys):
    seal = Path(f"{call}.seal")
    seal.write_text(seal.read_text().replace("call.wav", "fall.wav"))
    assert verify(call, desk) == 3
    assert "changed after it was signed" in capsys.readouterr().err


def test_an_absent_seal_or_recording_exits_3(call, desk, tmp_path, capsys):
    lone = shutil.copyfile(call, tmp_path / "lone.wav")
    assert verify(lone, desk) == 3
    assert "no such seal" in capsys.readouterr().err
    assert verify(tmp_path / "gone.wav", desk, "--seal", f"{call}.seal") == 3
    assert run(["seal", str(tmp_path / "gone.wav"), "--key", str(desk)]) == 3


def test_a_folder_is_refused(desk, tmp_path, capsys):
    assert run(["seal", str(tmp_path), "--key", str(desk)]) == 3
    assert verify(tmp_path, desk) == 3
    assert capsys.readouterr().err.count("is a folder") == 2


def test_what_is_missing_is_asked_for(call, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("AVDETECT_SEAL_KEY", raising=False)
    assert run(["seal", str(call)]) == 2
    assert "--new-key" in capsys.readouterr().err
    assert run(["seal"]) == 2
    assert run(["verify", str(call)]) == 2
    assert run(["seal", str(call), "--format", "ulaw"]) == 2


def test_a_seal_is_replaced_only_when_told(call, desk, capsys):
    assert run(["seal", str(call), "--key", str(desk)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert run(["seal", str(call), "--key", str(desk), "--replace"]) == 0


def test_the_key_may_come_from_the_environment(tmp_path, desk, monkeypatch):
    monkeypatch.setenv("AVDETECT_SEAL_KEY", str(desk))
    path = write(tmp_path / "b.wav", speech(1.0))
    assert run(["seal", str(path), "--out", str(tmp_path / "b.seal")]) == 0
    assert verify(path, desk, "--seal", str(tmp_path / "b.seal")) == 0


def test_headerless_sound_is_sealed_as_told(tmp_path, desk):
    path = tmp_path / "call.ul"
    path.write_bytes(ulaw_bytes(speech(3.0)[::2]))
    raw = ["--format", "ulaw", "--rate", "8000"]
    assert run(["seal", str(path), "--key", str(desk), *raw]) == 0
    assert verify(path, desk) == 0


def test_names_cannot_forge_lines(tmp_path, desk, capsys):
    path = write(tmp_path / "a\nUNTOUCHED.wav", speech(1.0))
    run(["seal", str(path), "--key", str(desk)])
    capsys.readouterr()
    verify(path, desk)
    assert len(capsys.readouterr().out.splitlines()) == 2
