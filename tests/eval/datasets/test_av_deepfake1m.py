import json

import pytest

from avdetect.types import Segment
from eval.datasets import DATASETS
from eval.datasets.av_deepfake1m import read
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, put_broken, states

_FOLDER = "id00012/21Uxsk56VDQ/00001"


def _entry(file, modify_type, segments=(), **more):
    return {
        "file": file,
        "original": f"{_FOLDER}/real.mp4",
        "split": "train",
        "modify_type": modify_type,
        "audio_model": "yourtts",
        "fake_segments": [list(s) for s in segments],
        "audio_fake_segments": [],
        "visual_fake_segments": [],
        "video_frames": 250,
        "audio_frames": 160000,
        **more,
    }


_TRAIN = [
    _entry(f"{_FOLDER}/real.mp4", "real"),
    _entry(f"{_FOLDER}/fake_video_fake_audio.mp4", "both_modified", [(3.28, 3.46)]),
    _entry(f"{_FOLDER}/fake_video_real_audio.mp4", "visual_modified", [(3.28, 3.46)]),
]
_VAL = [  # the three corpora of ++, which names the model of the picture too
    _entry("vox_celeb_2/id01358/_1nATum8x78/00030/a.mp4", "audio-modified", [(1, 2)]),
    _entry("lrs3/00j9bKdiOjk/50003/b.mp4", "visual_modified", [(1, 2)], video_model="Talklip"),
    _entry(
        "silent_videos/subject_17_abc_vid_2_6/c.mp4",
        "both_modified",
        [(1, 2)],
        video_model="diff2lip",
    ),
]


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "AV-Deepfake1M"
    put(root, f"train/{_TRAIN[0]['file']}", f"val/{_VAL[0]['file']}")
    put_broken(root, f"train/{_TRAIN[1]['file']}")
    (root / "train_metadata.json").write_text(json.dumps(_TRAIN))
    (root / "val_metadata.json").write_text(json.dumps(_VAL))
    return root


def test_rows_hold_what_the_metadata_says(root):
    real, both, seen = read(root)[:3]
    assert real == ManifestRow(
        id=f"train/{_FOLDER}/real.mp4",
        path=f"train/{_FOLDER}/real.mp4",
        label="real",
        audio_label="real",
        video_label="real",
        speaker="id00012",
        identity="id00012",
        source="id00012/21Uxsk56VDQ",
        duration_s=10.0,
        split="train",
    )
    assert (both.label, both.audio_label, both.video_label) == ("fake", "fake", "fake")
    assert both.fake_segments == (Segment(3.28, 3.46),)
    assert (both.generator, both.kind) == ("yourtts", "both_modified")
    assert (seen.audio_label, seen.video_label, seen.generator) == ("real", "fake", "")


def test_the_corpora_of_the_second_set_name_their_people(root):
    heard, seen, both = read(root)[3:]
    assert (heard.identity, heard.source) == ("id01358", "id01358/_1nATum8x78")
    assert (heard.audio_label, heard.video_label, heard.kind) == ("fake", "real", "audio_modified")
    assert (seen.identity, seen.source) == ("lrs3/00j9bKdiOjk", "lrs3/00j9bKdiOjk")
    assert seen.generator == "Talklip"
    assert both.identity == "silent/subject_17"
    assert both.source == "silent_videos/subject_17_abc_vid_2_6"
    assert (both.generator, both.split) == ("diff2lip+yourtts", "val")


def test_one_part_alone_is_read(root):
    (root / "train_metadata.json").unlink()
    assert {row.split for row in read(root)} == {"val"}


def test_broken_and_missing_media_stay_in(root):
    found = list(states(read(root), root).values())
    assert found == ["readable", "broken", "missing", "readable", "missing", "missing"]


def test_contract(root, tmp_path):
    keeps_contract(DATASETS["av_deepfake1m"], root, tmp_path)


def test_no_metadata(tmp_path):
    with pytest.raises(ManifestError, match=r"train_metadata\.json or val_metadata\.json"):
        read(tmp_path)


def test_unknown_modify_type(root):
    (root / "val_metadata.json").write_text(json.dumps([_entry("a/b/c/d.mp4", "swapped")]))
    with pytest.raises(ManifestError, match="modify_type 'swapped': expected one of real, visual"):
        read(root)


def test_a_file_that_stands_in_no_folder(root):
    (root / "val_metadata.json").write_text(json.dumps([_entry("d.mp4", "real")]))
    with pytest.raises(ManifestError, match="entry 1"):
        read(root)
