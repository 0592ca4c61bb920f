import pytest

from eval.datasets import DATASETS
from eval.datasets.kodf import read
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, put_broken, states

_REAL = "original_videos/100001/100001_001.mp4"
_SWAPPED = "synthesized_videos/dfl/20201010/100002/100002_100001_1_0090.mp4"
_DRIVEN = "synthesized_videos/audio-driven/20201010/100001/100001_100002_5_0012.mp4"


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "kodf_release"
    put(root, _REAL, _SWAPPED)
    put_broken(root, _DRIVEN)
    return root


def test_rows_hold_what_folders_and_names_say(root):
    real, driven, swapped = read(root)
    assert real == ManifestRow(
        id=_REAL,
        path=_REAL,
        label="real",
        audio_label="real",
        video_label="real",
        identity="100001",
        source="100001",
        language="ko",
        split="test",
    )
    assert swapped == ManifestRow(
        id=_SWAPPED,
        path=_SWAPPED,
        label="fake",
        video_label="fake",
        identity="100002",
        source="100001",
        generator="dfl",
        kind="face-swap",
        language="ko",
        split="test",
    )
    assert (driven.generator, driven.kind) == ("audio-driven", "lip-sync")


def test_broken_media_stay_in(root):
    assert list(states(read(root), root).values()) == ["readable", "broken", "readable"]


def test_contract(root, tmp_path):
    keeps_contract(DATASETS["kodf"], root, tmp_path)


def test_no_folders(tmp_path):
    with pytest.raises(ManifestError, match="expected original_videos there"):
        read(tmp_path)


def test_empty_folders(tmp_path):
    for name in ("original_videos", "synthesized_videos"):
        (tmp_path / name).mkdir()
    with pytest.raises(ManifestError, match="no video below original_videos and synthesized"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("synthesized_videos/dfl/100002_0090.mp4", "of the form <target>_<donor>_<code>_<number>"),
        ("original_videos/clip.mp4", "of the form <speaker>_<number>"),
        ("synthesized_videos/magic/1_2_1_3.mp4", "method 'magic': expected one of dffs, dfl"),
    ],
)
def test_other_names(root, name, told):
    put(root, name)
    with pytest.raises(ManifestError, match=told):
        read(root)
