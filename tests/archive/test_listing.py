"""What an archive consists of, wherever it lies."""

from __future__ import annotations

import json
import os
from pathlib import Path

import fsspec
import pytest

from avdetect.archive.listing import Listed, find_archive, list_archive
from avdetect.errors import InputNotFoundError, UsageError
from tests.archive.known import clips


def names(given: Path | str) -> list[str]:
    archive = find_archive(str(given))
    return [listed.name for listed in list_archive(archive, {".wav", ".mp4"})]


@pytest.fixture
def memory():
    """fsspec's file system within this process, empty."""
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    yield filesystem
    filesystem.store.clear()


def test_a_folder_is_searched_for_media_alone(tmp_path):
    clips(tmp_path, {"a.wav": "", "b/C.MP4": "", "b/deep/d.wav": "", "notes.txt": ""})
    (tmp_path / "folder.wav").mkdir()
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "round").symlink_to(tmp_path)
    assert sorted(names(tmp_path)) == ["a.wav", "b/C.MP4", "b/deep/d.wav"]


def test_a_folder_that_cannot_be_read_is_listed_with_its_reason(tmp_path, monkeypatch):
    clips(tmp_path, {"a.wav": "", "locked/b.wav": ""})
    scandir = os.scandir

    def locked(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", locked)  # root may read what it likes
    good, bad = sorted(list_archive(find_archive(str(tmp_path)), {".wav"}), key=lambda e: e.name)
    assert good == Listed("a.wav")
    assert bad.name == "locked"
    assert bad.problem.message == "the folder cannot be read: Permission denied"


def test_a_link_to_itself_is_listed_with_its_reason_and_the_rest_of_the_folder_too(tmp_path):
    clips(tmp_path, {"a.wav": "", "b/c.wav": ""})
    for name in ("loop.wav", "b/loop.wav", "loop.txt"):
        (tmp_path / name).symlink_to(Path(name).name)
    listed = list(list_archive(find_archive(str(tmp_path)), {".wav"}))
    good = sorted(entry.name for entry in listed if entry.problem is None)
    bad = {entry.name: entry.problem for entry in listed if entry.problem is not None}
    assert good == ["a.wav", "b/c.wav"]
    assert set(bad) == {"loop.wav", "b/loop.wav"}
    assert bad["loop.wav"].code == "not_found"
    assert bad["loop.wav"].message == "cannot be opened: Too many levels of symbolic links"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.txt", b"a.wav\r\n\nb b.wav\n/abs/c.wav\ns3://bucket/d.wav"),
        ("list.txt", b"\xef\xbb\xbfa.wav\nb b.wav\n/abs/c.wav\ns3://bucket/d.wav\n"),
        ("list.csv", b"id,path\n1,a.wav\n2,b b.wav\n3,/abs/c.wav\n4,s3://bucket/d.wav\n"),
        (
            "list.jsonl",
            b"".join(
                json.dumps({"path": path}).encode() + b"\n"
                for path in ("a.wav", "b b.wav", "/abs/c.wav", "s3://bucket/d.wav")
            ),
        ),
    ],
)
def test_a_manifest_names_inputs_in_its_order(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    archive = find_archive(str(tmp_path / name))
    listed = [entry.name for entry in list_archive(archive, ())]
    assert listed == ["a.wav", "b b.wav", "/abs/c.wav", "s3://bucket/d.wav"]
    assert [archive.locate(entry) for entry in listed] == [
        f"{tmp_path}/a.wav",
        f"{tmp_path}/b b.wav",
        "/abs/c.wav",
        "s3://bucket/d.wav",
    ]
    assert [archive.shown(entry) for entry in listed] == listed


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("call.wav", b"RIFF\0\0\0\0WAVE", "is no manifest"),
        ("list.csv", b"file\na.wav\n", "needs a column 'path'"),
        ("list.jsonl", b'{"file": "a.wav"}\n', "needs a column 'path'"),
        ("list.jsonl", b"a.wav\n", "cannot be read as a manifest"),
        ("list.parquet", b"a.wav\n", "cannot be read as Parquet"),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=words):
        names(tmp_path / name)


def test_a_bucket_is_searched_like_a_folder(memory):
    for path in ("/bucket/a.wav", "/bucket/b/c.mp4", "/bucket/b/notes.txt", "/other/d.wav"):
        memory.pipe_file(path, b"sound")
    assert sorted(names("memory://bucket")) == ["a.wav", "b/c.mp4"]
    archive = find_archive("memory://bucket/")
    assert archive.locate("b/c.mp4") == archive.shown("b/c.mp4") == "memory://bucket/b/c.mp4"


def test_a_manifest_in_a_bucket_names_its_neighbours(memory):
    memory.pipe_file("/bucket/list.txt", b"a.wav\n")
    archive = find_archive("memory://bucket/list.txt")
    assert [archive.locate(e.name) for e in list_archive(archive, ())] == ["memory://bucket/a.wav"]


def test_storage_that_is_not_there_is_told(memory):
    with pytest.raises(InputNotFoundError, match="no such folder or manifest"):
        find_archive("memory://nowhere")
    with pytest.raises(UsageError, match="Protocol not known"):
        find_archive("carrier-pigeon://loft/a")
