import json

import pytest

from eval.datasets import DATASETS
from eval.datasets.dfdc import read
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, put_broken, states

_PART = "train/dfdc_train_part_0"
_METADATA = {
    "abarnvbtwb.mp4": {"label": "REAL", "split": "train", "original": None},
    "aagfhgtpmv.mp4": {"label": "FAKE", "split": "train", "original": "abarnvbtwb.mp4"},
    "aayfryxljh.mp4": {"label": "FAKE", "split": "train", "original": "vudstovrck.mp4"},
}


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "DFDC"
    put(root, f"{_PART}/abarnvbtwb.mp4", "test/aalscayrfi.mp4")
    put_broken(root, f"{_PART}/aagfhgtpmv.mp4")
    (root / _PART / "metadata.json").write_text(json.dumps(_METADATA))
    (root / "test" / "labels.csv").write_text("filename,label\naalscayrfi.mp4,1\nb.mp4,0\n")
    # The test folder's own metadata says nothing of the labels.
    (root / "test" / "metadata.json").write_text('{"aalscayrfi.mp4": {"augmentations": []}}')
    return root


def test_rows_hold_what_metadata_and_labels_say(root):
    real, fake, orphan, tested, _ = read(root)
    assert real == ManifestRow(
        id=f"{_PART}/abarnvbtwb.mp4",
        path=f"{_PART}/abarnvbtwb.mp4",
        label="real",
        audio_label="real",
        video_label="real",
        source="abarnvbtwb",
        split="train",
    )
    assert fake == ManifestRow(
        id=f"{_PART}/aagfhgtpmv.mp4",
        path=f"{_PART}/aagfhgtpmv.mp4",
        label="fake",
        source="abarnvbtwb",
        split="train",
    )
    assert orphan.source == "vudstovrck"
    assert (tested.label, tested.split, tested.source) == ("fake", "test", "aalscayrfi")


def test_broken_and_missing_media_stay_in(root):
    found = list(states(read(root), root).values())
    assert found == ["readable", "broken", "missing", "readable", "missing"]


def test_contract(root, tmp_path):
    keeps_contract(DATASETS["dfdc"], root, tmp_path)


def test_neither_part_nor_test(tmp_path):
    with pytest.raises(ManifestError, match=r"expected dfdc_train_part_<number>/metadata\.json"):
        read(tmp_path)


def test_unknown_label(root):
    (root / "test" / "labels.csv").write_text("filename,label\na.mp4,FAKE\n")
    with pytest.raises(ManifestError, match="label 'FAKE': expected one of 0, 1"):
        read(root)


def test_metadata_without_a_split(root):
    (root / _PART / "metadata.json").write_text('{"a.mp4": {"label": "REAL"}}')
    with pytest.raises(ManifestError, match=r"metadata\.json: entry 1: 'split'"):
        read(root)
