import pytest

from eval.datasets import DATASETS
from eval.datasets.celeb_df import read
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, put_broken, states

_LIST = "List_of_testing_videos.txt"


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "Celeb-DF-v2"
    put(root, "Celeb-real/id0_0000.mp4", "YouTube-real/00170.mp4", silent=True)
    put(root, "Celeb-synthesis/id0_id1_0000.mp4", silent=True)
    put_broken(root, "Celeb-synthesis/id1_id0_0002.mp4")
    (root / _LIST).write_text(
        "1 YouTube-real/00170.mp4\n"
        "0 Celeb-synthesis/id1_id0_0002.mp4\n"
        "0 Celeb-synthesis/id1_id0_0007.mp4\n"
    )
    return root


def test_rows_hold_what_list_and_names_say(root):
    real, swapped, youtube, tested, _ = read(root)
    assert real == ManifestRow(
        id="Celeb-real/id0_0000.mp4",
        path="Celeb-real/id0_0000.mp4",
        label="real",
        video_label="real",
        identity="id0",
        source="id0",
        split="train",
    )
    assert swapped == ManifestRow(
        id="Celeb-synthesis/id0_id1_0000.mp4",
        path="Celeb-synthesis/id0_id1_0000.mp4",
        label="fake",
        video_label="fake",
        identity="id0",
        source="id1",
        generator="Celeb-DF",
        kind="FaceSwap",
        split="train",
    )
    assert (youtube.label, youtube.identity, youtube.source) == ("real", "", "youtube 00170")
    assert (tested.split, tested.identity, tested.source) == ("test", "id1", "id0")


def test_the_second_edition_names_scenario_and_method(root):
    path = "Celeb-synthesis/TalkingFace/SadTalker/id0_0000_id2_0003.mp4"
    put(root, path, silent=True)
    row = next(row for row in read(root) if row.id == path)
    assert (row.kind, row.generator) == ("TalkingFace", "SadTalker")
    assert (row.identity, row.source) == ("id0", "id2")


def test_broken_and_missing_media_stay_in(root):
    found = list(states(read(root), root).values())
    assert found == ["readable", "readable", "readable", "broken", "missing"]


def test_contract(root, tmp_path):
    keeps_contract(DATASETS["celeb_df"], root, tmp_path)


def test_no_folders(tmp_path):
    with pytest.raises(ManifestError, match="expected Celeb-real there"):
        read(tmp_path)


def test_no_list(root):
    (root / _LIST).unlink()
    with pytest.raises(ManifestError, match=r"List_of_testing_videos\.txt is not there"):
        read(root)


def test_a_list_that_was_turned_round(root):
    (root / _LIST).write_text("0 YouTube-real/00170.mp4\n")
    with pytest.raises(ManifestError, match="expected 1 before real videos"):
        read(root)


def test_videos_one_folder_deeper_are_not_taken_for_training_data(root):
    put(root, "Celeb-real/videos/id5_0000.mp4", silent=True)
    with pytest.raises(ManifestError, match="expected <folder>/<video>"):
        read(root)
