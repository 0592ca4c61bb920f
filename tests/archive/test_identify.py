"""What identifies an input: its bytes, read again only when it may have changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import fsspec

from avdetect.archive.identify import identify
from avdetect.archive.work import Entry


def test_a_file_is_known_by_its_bytes(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"sound" * 1000)
    found = identify(Entry(7, str(tmp_path / "a.wav")))
    assert found.position == 7
    assert found.sha256 == hashlib.sha256(b"sound" * 1000).hexdigest()
    assert found.problem is None


def test_an_unchanged_file_is_not_read_again_and_a_changed_one_is(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"before")
    stamp = identify(Entry(1, str(path))).stamp
    assert identify(Entry(1, str(path), stamp, "as told")).sha256 == "as told"
    path.write_bytes(b"after!")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    assert identify(Entry(1, str(path), stamp, "as told")).sha256 == (
        hashlib.sha256(b"after!").hexdigest()
    )


def test_what_cannot_be_read_has_a_reason(tmp_path):
    (tmp_path / "empty.wav").touch()
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "file").touch()
    codes = {
        name: identify(Entry(1, str(tmp_path / name))).problem.code
        for name in ("none.wav", "empty.wav", "pipe.wav", ".", "file/below.wav", "nul\0.wav")
    }
    assert codes == {
        "none.wav": "not_found",
        "empty.wav": "unreadable_media",
        "pipe.wav": "input",
        ".": "input",
        "file/below.wav": "not_found",
        "nul\0.wav": "not_found",
    }


def test_remote_files_are_known_by_their_bytes_too(tmp_path):
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/bucket/a.wav", b"sound")
    memory.pipe_file("/bucket/empty.wav", b"")
    try:
        found = identify(Entry(1, "memory://bucket/a.wav"))
        assert found.sha256 == hashlib.sha256(b"sound").hexdigest()
        assert identify(Entry(1, "memory://bucket/none.wav")).problem.code == "not_found"
        assert identify(Entry(1, "memory://bucket/empty.wav")).problem.code == "unreadable_media"
    finally:
        memory.store.clear()


def test_a_remote_file_that_says_its_version_is_not_read_again(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"sound")
    url = Path(path).as_uri()
    stamp = identify(Entry(1, url)).stamp
    assert stamp is not None
    assert identify(Entry(1, url, stamp, "as told")).sha256 == "as told"
