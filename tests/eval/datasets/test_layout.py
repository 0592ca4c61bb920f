import pytest

from avdetect.types import Segment
from eval.datasets.layout import (
    celebrities,
    first_there,
    inside,
    make_rows,
    media_below,
    media_by_name,
    segments,
)
from eval.errors import ManifestError
from tests.eval.datasets.miniature import put


def test_first_there_takes_the_first_and_names_all(tmp_path):
    (tmp_path / "b").mkdir()
    assert first_there(tmp_path, ("a", "b")) == tmp_path / "b"
    with pytest.raises(ManifestError, match=r"expected a or c there; give the folder"):
        first_there(tmp_path, ("a", "c"))


def test_media_are_found_at_any_depth_and_sorted(tmp_path):
    put(tmp_path, "b/c/1.mp4", "a/2.mp4", "a/2.wav")
    assert media_below(tmp_path) == [tmp_path / "a/2.mp4", tmp_path / "b/c/1.mp4"]
    assert media_below(tmp_path / "nowhere") == []
    assert media_by_name(tmp_path, (".wav",)) == {"2.wav": tmp_path / "a/2.wav"}


@pytest.mark.parametrize("name", ["/etc/passwd", "../x.mp4", "a/../../x.mp4", "..\\x.mp4"])
def test_no_path_leads_outside(name):
    with pytest.raises(ValueError, match="leads out of the data set"):
        inside("train", name)


def test_parts_are_joined_whatever_system_wrote_them():
    assert inside("train", "a\\b.mp4") == "train/a/b.mp4"
    assert inside("", "a/./b.mp4") == "a/b.mp4"


def test_no_forged_part_is_an_unknown_one():
    assert segments([]) is None
    assert segments([[1, 2.5]]) == (Segment(1.0, 2.5),)


@pytest.mark.parametrize(
    ("stem", "people"),
    [
        ("id0_0002", ("id0", "id0")),
        ("id0_id16_0002", ("id0", "id16")),
        ("00170", ("", "")),
    ],
)
def test_celebrities_are_target_and_donor(stem, people):
    assert celebrities(stem) == people


def test_the_bad_entry_is_named_by_its_number(tmp_path):
    def refuse_b(entry):
        if entry == "b":
            raise ValueError("b is bad")

    with pytest.raises(ManifestError, match="list: entry 2: b is bad; is this the published"):
        make_rows(tmp_path / "list", ["a", "b"], refuse_b)
    assert make_rows(tmp_path / "list", ["a", "c"], refuse_b) == []
