"""The seal as a file: whole or not there, signed, and no reader fooled."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from avdetect.errors import OutputError, SealError, UsageError
from avdetect.provenance.seal import check_target, pack_blob, read_seal, unpack_blob, write_seal
from avdetect.provenance.signing import load_private_key, load_public_key, new_key_pair
from tests.provenance.clips import sealed, speech, write


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    return write(tmp_path_factory.mktemp("seal") / "call.wav", speech(3.0))


@pytest.fixture
def seal_path(call, tmp_path):
    path = tmp_path / "call.wav.seal"
    write_seal(sealed(call), path)
    return path


def test_a_seal_reads_back_as_it_was_written(call, tmp_path):
    made = sealed(call)
    write_seal(made, tmp_path / "a.seal")
    assert read_seal(tmp_path / "a.seal") == made
    assert [path.name for path in tmp_path.iterdir()] == ["a.seal"]


def test_two_seals_of_one_recording_share_no_link(call):
    one, two = sealed(call), sealed(call)
    assert one.body.packets[0].links != two.body.packets[0].links
    assert one.body.packets[0].tags != two.body.packets[0].tags


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["file"].update(name="other.wav"),
        lambda body: body["file"].update(sha256="0" * 64),
        lambda body: body.update(made_at="2020-01-01T00:00:00+00:00"),
        lambda body: body.update(sounds=[]),
    ],
)
def test_a_seal_changed_after_signing_proves_nothing(seal_path, change):
    found = json.loads(seal_path.read_text())
    change(found["body"])
    seal_path.write_text(json.dumps(found))
    with pytest.raises(SealError, match="changed after it was signed"):
        read_seal(seal_path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not whole JSON"),
        ("{}", "not a seal of avdetect"),
        ('["a"]', "not a seal of avdetect"),
        ('{"body": {"format": "avdetect-seal", "version": 9}}', "of version 9"),
        ('{"body": {"format": "avdetect-seal", "version": 1}}', "damaged or tampered with, at"),
        ("[" * 100_000, "not whole JSON"),
    ],
)
def test_what_is_no_seal_is_named(tmp_path, text, reason):
    path = tmp_path / "a.seal"
    path.write_text(text)
    with pytest.raises(SealError, match=re.escape(reason)):
        read_seal(path)


def test_a_seal_cut_off_is_damaged(seal_path):
    seal_path.write_bytes(seal_path.read_bytes()[:-100])
    with pytest.raises(SealError, match="not whole JSON"):
        read_seal(seal_path)


def test_an_absent_seal_is_asked_for(tmp_path):
    with pytest.raises(SealError, match="name it with --seal"):
        read_seal(tmp_path / "absent.seal")


def test_a_blob_that_swells_is_refused():
    bomb = pack_blob(b"\0" * 10_000_000)
    with pytest.raises(SealError, match="not 100"):
        unpack_blob(bomb, 100, "a.seal")
    with pytest.raises(SealError, match="damaged"):
        unpack_blob("no base64!", 100, "a.seal")


def test_a_seal_takes_nobodys_place_unasked(call, seal_path):
    before = seal_path.read_bytes()
    with pytest.raises(OutputError, match="is there already"):
        write_seal(sealed(call), seal_path)
    assert seal_path.read_bytes() == before
    write_seal(sealed(call), seal_path, replace=True)
    assert seal_path.read_bytes() != before


def test_a_text_that_is_no_unicode_is_damage_without_an_empty_place(seal_path):
    seal = json.loads(seal_path.read_bytes())
    seal["body"]["made_by"] = "\ud800"
    seal_path.write_text(json.dumps(seal))
    with pytest.raises(SealError, match=r"damaged or tampered with(, at \S+)?$"):
        read_seal(seal_path)


def test_a_dangling_link_at_the_name_is_left_alone(call, tmp_path):
    link = tmp_path / "a.seal"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="is there already"):
        check_target(link, call, replace=False)


def test_names_where_no_seal_can_be_are_refused_first(call, tmp_path):
    with pytest.raises(OutputError, match="is the recording itself"):
        check_target(call, call, replace=True)
    with pytest.raises(OutputError, match="is a folder"):
        check_target(tmp_path, call, replace=True)
    with pytest.raises(OutputError, match="there is no folder"):
        check_target(tmp_path / "no" / "a.seal", call, replace=False)


def test_a_device_or_pipe_is_never_replaced_by_a_seal(call, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="is a device or pipe"):
        check_target(pipe, call, replace=True)


def test_the_private_key_is_never_replaced_by_a_seal(call, tmp_path):
    private = tmp_path / "desk.pem"
    new_key_pair(private)
    with pytest.raises(OutputError, match="is the private key itself"):
        check_target(private, call, replace=True, key=private)


def test_ctrl_c_while_a_seal_is_written_leaves_nothing(call, tmp_path, monkeypatch):
    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("avdetect.provenance.seal.os.link", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_seal(sealed(call), tmp_path / "a.seal")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_half_a_key(tmp_path):
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from avdetect.errors import OutputError\n"
        "from avdetect.provenance.signing import new_key_pair\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))\n"
        "try:\n"
        "    new_key_pair(Path(sys.argv[1]))\n"
        "except OutputError as e:\n"
        "    print(e)\n"
    )
    command = [sys.executable, "-B", "-c", code, str(tmp_path / "desk.pem")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "the key cannot be written: File too large" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_new_key_is_for_its_owner_alone_and_never_overwritten(tmp_path):
    private = tmp_path / "desk.pem"
    public = new_key_pair(private)
    assert private.stat().st_mode & 0o777 == 0o600
    assert load_private_key(private).public_key() == load_public_key(public)
    with pytest.raises(OutputError, match="never overwritten"):
        new_key_pair(private)


def test_no_half_of_a_pair_is_left_behind(tmp_path):
    (tmp_path / "desk.pem.pub").write_text("somebody's")
    with pytest.raises(OutputError):
        new_key_pair(tmp_path / "desk.pem")
    assert not (tmp_path / "desk.pem").exists()


def test_keys_of_the_wrong_half_are_named(tmp_path):
    public = new_key_pair(tmp_path / "desk.pem")
    with pytest.raises(UsageError, match="holds no private key"):
        load_private_key(public)
    with pytest.raises(UsageError, match="holds no public key"):
        load_public_key(tmp_path / "desk.pem")
    with pytest.raises(UsageError, match="cannot be read"):
        load_public_key(tmp_path / "absent.pem")
