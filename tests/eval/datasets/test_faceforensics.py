import json

import pytest

from eval.datasets import DATASETS
from eval.datasets.faceforensics import read
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, put_broken, states

_SPLITS = {"train": [["071", "054"]], "val": [["720", "672"]], "test": [["000", "003"]]}
_REAL = "original_sequences/youtube/c23/videos"
_SWAPPED = "manipulated_sequences/Deepfakes/c23/videos"
_ACTED = "manipulated_sequences/DeepFakeDetection/raw/videos"


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "FaceForensics++"
    (root / "splits").mkdir(parents=True)
    for name, pairs in _SPLITS.items():
        (root / "splits" / f"{name}.json").write_text(json.dumps(pairs))
    put(root, *(f"{_REAL}/{n}.mp4" for n in ("071", "054", "720", "672", "000")), silent=True)
    put(root, *(f"{_SWAPPED}/{n}.mp4" for n in ("071_054", "000_003")), silent=True)
    put(root, "manipulated_sequences/NeuralTextures/c40/videos/003_000.mp4", silent=True)
    put(root, "original_sequences/actors/raw/videos/01__kitchen_pan.mp4", silent=True)
    put(root, f"{_ACTED}/01_02__kitchen_pan__YVGY8LOK.mp4", silent=True)
    put_broken(root, f"{_SWAPPED}/003_000.mp4")
    return root


def test_rows_hold_what_split_files_and_names_say(root):
    rows = {row.id: row for row in read(root)}
    assert rows[f"{_REAL}/000.mp4"] == ManifestRow(
        id=f"{_REAL}/000.mp4",
        path=f"{_REAL}/000.mp4",
        label="real",
        video_label="real",
        identity="000",
        source="000",
        quality="c23",
        split="test",
    )
    assert rows[f"{_SWAPPED}/071_054.mp4"] == ManifestRow(
        id=f"{_SWAPPED}/071_054.mp4",
        path=f"{_SWAPPED}/071_054.mp4",
        label="fake",
        video_label="fake",
        identity="071",
        source="054",
        generator="Deepfakes",
        kind="face-swap",
        quality="c23",
        split="train",
    )
    driven = rows["manipulated_sequences/NeuralTextures/c40/videos/003_000.mp4"]
    assert (driven.kind, driven.quality, driven.identity) == ("reenactment", "c40", "003")


def test_actors_have_a_name_space_of_their_own_and_no_split(root):
    rows = {row.id: row for row in read(root)}
    real = rows["original_sequences/actors/raw/videos/01__kitchen_pan.mp4"]
    fake = rows[f"{_ACTED}/01_02__kitchen_pan__YVGY8LOK.mp4"]
    assert (real.label, real.identity, real.source, real.split) == (
        "real",
        "actor 01",
        "actor 01",
        "",
    )
    assert (fake.label, fake.identity, fake.source) == ("fake", "actor 01", "actor 02")
    assert (fake.generator, fake.kind, fake.quality) == ("DeepFakeDetection", "face-swap", "raw")


def test_every_listed_pair_has_both_its_rows_in_one_split(root):
    swapped = [row for row in read(root) if row.generator == "Deepfakes"]
    assert len(swapped) == 6
    assert {row.identity for row in swapped if row.split == "test"} == {"000", "003"}


def test_broken_and_missing_media_stay_in(root):
    found = states(read(root), root)
    assert found[f"{_REAL}/003.mp4"] == "missing"
    assert found[f"{_SWAPPED}/003_000.mp4"] == "broken"
    assert found[f"{_SWAPPED}/000_003.mp4"] == "readable"


def test_contract(root, tmp_path):
    keeps_contract(DATASETS["faceforensics"], root, tmp_path)


def test_split_files_beside_the_root_do_as_well(root):
    whole = read(root)
    for name in _SPLITS:
        (root / "splits" / f"{name}.json").rename(root / f"{name}.json")
    assert read(root) == whole


def test_no_split_files(tmp_path):
    with pytest.raises(ManifestError, match=r"expected splits/train\.json or train\.json there"):
        read(tmp_path)


def test_no_videos(root):
    for group in ("original_sequences", "manipulated_sequences"):
        (root / group).rename(root / f"{group}.moved")
    with pytest.raises(ManifestError, match="expected original_sequences/youtube/c23/videos"):
        read(root)


def test_split_file_of_single_videos(root):
    (root / "splits" / "val.json").write_text('["720", "672"]')
    with pytest.raises(ManifestError, match=r"val\.json: expected a list of pairs"):
        read(root)
