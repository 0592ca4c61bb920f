import pytest

from eval.datasets import DATASETS
from eval.datasets.avlips import read
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, put_broken, states


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "AVLips"
    put(root, "0_real/0.mp4", "1_fake/0.mp4", silent=True)
    put(root, "wav/0_real/0.wav", "wav/1_fake/0.wav", "wav/1_fake/1.wav", "wav/1_fake/2.wav")
    put_broken(root, "1_fake/1.mp4")
    return root


def test_rows_hold_what_the_folders_say(root):
    real, fake = read(root)[:2]
    assert real == ManifestRow(
        id="0_real/0.mp4",
        path="0_real/0.mp4",
        label="real",
        audio_path="wav/0_real/0.wav",
        audio_label="real",
        video_label="real",
        split="test",
    )
    assert fake == ManifestRow(
        id="1_fake/0.mp4",
        path="1_fake/0.mp4",
        label="fake",
        audio_path="wav/1_fake/0.wav",
        video_label="fake",
        kind="lip-sync",
        split="test",
    )


def test_broken_and_missing_media_stay_in(root):
    assert states(read(root), root) == {
        "0_real/0.mp4": "readable",
        "1_fake/0.mp4": "readable",
        "1_fake/1.mp4": "broken",
        "1_fake/2.mp4": "missing",
    }


def test_contract(root, tmp_path):
    keeps_contract(DATASETS["avlips"], root, tmp_path)


def test_no_folders(tmp_path):
    with pytest.raises(ManifestError, match="expected 0_real there"):
        read(tmp_path)


def test_no_sounds(root):
    (root / "wav").rename(root / "audio")
    with pytest.raises(ManifestError, match="expected wav/0_real there"):
        read(root)


def test_empty_folders(tmp_path):
    for name in ("0_real", "1_fake", "wav/0_real", "wav/1_fake"):
        (tmp_path / name).mkdir(parents=True)
    with pytest.raises(ManifestError, match=r"no <number>\.mp4 in 0_real or 1_fake"):
        read(tmp_path)
