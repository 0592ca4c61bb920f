import json

import pytest

from avdetect.types import Segment
from eval.datasets import DATASETS
from eval.datasets.lavdf import read
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, put_broken, states


def _entry(file, *, periods=(), original=None, video=False, audio=False):
    return {
        "file": file,
        "n_fakes": len(periods),
        "fake_periods": [list(period) for period in periods],
        "duration": 4.224,
        "original": original,
        "modify_video": video,
        "modify_audio": audio,
        "split": file.split("/")[0],
        "video_frames": 103,
        "audio_channels": 1,
        "audio_frames": 65536,
    }


_ENTRIES = [
    _entry("test/000001.mp4"),
    _entry("test/000002.mp4", periods=[(1.2, 1.6), (2.0, 2.5)], original="000001.mp4", video=True),
    _entry("test/000003.mp4", periods=[(0.5, 0.9)], original="test/000001.mp4", audio=True),
    _entry("dev/000005.mp4", periods=[(3.1, 3.3)], original="000004.mp4", video=True, audio=True),
]


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "LAV-DF"
    put(root, "test/000001.mp4", "test/000002.mp4")
    put_broken(root, "test/000003.mp4")
    (root / "metadata.json").write_text(json.dumps(_ENTRIES))
    return root


def test_rows_hold_what_the_metadata_says(root):
    real, seen, heard, both = read(root)
    assert real == ManifestRow(
        id="test/000001.mp4",
        path="test/000001.mp4",
        label="real",
        audio_label="real",
        video_label="real",
        fake_segments=(),
        source="000001",
        duration_s=4.224,
        split="test",
    )
    assert seen == ManifestRow(
        id="test/000002.mp4",
        path="test/000002.mp4",
        label="fake",
        audio_label="real",
        video_label="fake",
        fake_segments=(Segment(1.2, 1.6), Segment(2.0, 2.5)),
        source="000001",
        kind="visual",
        duration_s=4.224,
        split="test",
    )
    assert (heard.audio_label, heard.video_label, heard.kind) == ("fake", "real", "audio")
    assert heard.source == "000001"
    assert (both.kind, both.source, both.split) == ("audio-visual", "000004", "dev")


def test_the_small_metadata_does_as_well(root):
    whole = read(root)
    (root / "metadata.json").rename(root / "metadata.min.json")
    assert read(root) == whole


def test_broken_and_missing_media_stay_in(root):
    assert list(states(read(root), root).values()) == ["readable", "readable", "broken", "missing"]


def test_contract(root, tmp_path):
    keeps_contract(DATASETS["lavdf"], root, tmp_path)


def test_no_metadata(tmp_path):
    with pytest.raises(ManifestError, match=r"expected metadata\.json or metadata\.min\.json"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{not json", "cannot be read as JSON"),
        ('{"videos": []}', "expected a JSON list, found dict"),
        ('[{"file": "a.mp4"}]', "entry 1: no fake_periods, duration, original"),
        (json.dumps([_entry("test/1.mp4", periods=[(2.0, 1.0)], video=True)]), "ends before"),
        (json.dumps([_entry("test/1.mp4", periods=[(2.0,)], video=True)]), "entry 1: not enough"),
    ],
)
def test_other_metadata(root, text, told):
    (root / "metadata.json").write_text(text)
    with pytest.raises(ManifestError, match=told):
        read(root)
