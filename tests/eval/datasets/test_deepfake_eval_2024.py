import pytest

from eval.datasets import DATASETS
from eval.datasets.deepfake_eval_2024 import read
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, put_broken, states

_VIDEO = (
    "Filename,Video Ground Truth,Audio Ground Truth,Description,Finetuning Set\n"
    'a.mp4,Real,Fake,"A man, who\nspeaks",Train\n'
    "b.mp4,Fake,Unknown,,Test\n"
    "c.mp4,Unknown,Unknown,,Test\n"
    "d.mp4,Real,Real,,Test\n"
)
_AUDIO = "Filename,Language,Ground Truth,Finetuning Set\ne.mp3,en,Fake,test\nf.wav,en,Real,train\n"


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "Deepfake-Eval-2024"
    put(root, "video-data/a.mp4", "audio-data/e.mp3")
    put_broken(root, "video-data/b.mp4")
    (root / "video-metadata-publish.csv").write_text(_VIDEO)
    (root / "audio-metadata-publish.csv").write_text(_AUDIO)
    return root


def test_rows_hold_what_the_tables_say(root):
    voiced, faked, real, heard, spoken = read(root)
    assert voiced == ManifestRow(
        id="video-data/a.mp4",
        path="video-data/a.mp4",
        label="fake",
        audio_label="fake",
        video_label="real",
        split="train",
    )
    assert (faked.label, faked.audio_label, faked.video_label) == ("fake", "", "fake")
    assert (real.label, real.split) == ("real", "test")
    assert heard == ManifestRow(
        id="audio-data/e.mp3",
        path="audio-data/e.mp3",
        label="fake",
        audio_label="fake",
        split="test",
    )
    assert (spoken.label, spoken.split) == ("real", "train")


def test_what_nobody_could_label_is_no_row(root):
    assert "video-data/c.mp4" not in {row.id for row in read(root)}


def test_one_table_alone_and_the_one_with_links_do_as_well(root):
    (root / "audio-metadata-publish.csv").unlink()
    name = "video-metadata-publish.csv"
    (root / name).rename(root / name.replace(".csv", "-with-links.csv"))
    assert len(read(root)) == 3


def test_broken_and_missing_media_stay_in(root):
    found = list(states(read(root), root).values())
    assert found == ["readable", "broken", "missing", "readable", "missing"]


def test_contract(root, tmp_path):
    keeps_contract(DATASETS["deepfake_eval_2024"], root, tmp_path)


def test_no_tables(tmp_path):
    with pytest.raises(ManifestError, match=r"expected video-metadata-publish\.csv or"):
        read(tmp_path)


def test_other_words(root):
    (root / "audio-metadata-publish.csv").write_text(
        "Filename,Ground Truth,Finetuning Set\ne.mp3,spoof,test\n"
    )
    with pytest.raises(ManifestError, match="Ground Truth 'spoof': expected one of real, fake"):
        read(root)
