import pytest

from eval.datasets import DATASETS
from eval.datasets.in_the_wild import read
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, states

_META = """\
file,speaker,label
0.wav,Alec Guinness,spoof
4.wav,Christopher Hitchens,bona-fide
5.wav,"Martin Luther King, Jr.",bona-fide
7.wav,Alec Guinness,bona-fide
"""


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "release_in_the_wild"
    put(root, "0.wav", "4.wav")
    (root / "5.wav").write_bytes(b"RIFF")
    (root / "meta.csv").write_text(_META)
    return root


def test_rows_hold_what_the_table_says(root, tmp_path):
    rows = read(root)
    assert rows[0] == ManifestRow(
        id="0",
        path="0.wav",
        label="fake",
        audio_label="fake",
        speaker="Alec Guinness",
        language="en",
        split="test",
    )
    assert [row.label for row in rows] == ["fake", "real", "real", "real"]
    assert rows[2].speaker == "Martin Luther King, Jr."
    assert states(rows, root) == {"0": "readable", "4": "readable", "5": "broken", "7": "missing"}
    keeps_contract(DATASETS["in_the_wild"], root, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "name,label\n0.wav,spoof\n",
            "no column file, speaker; expected a header with",
        ),
        (
            "file,speaker,label\n0.wav,X,fake\n",
            "entry 1: label 'fake': expected one of bona-fide",
        ),
        ("file,speaker,label\n0.wav,spoof\n", "line 2: 2 cells, expected 3"),
        ("file,speaker,label\n../0.wav,X,spoof\n", "leads out of the data set"),
    ],
)
def test_another_layout_says_what_was_expected_where(root, text, message):
    (root / "meta.csv").write_text(text)
    with pytest.raises(ManifestError, match=message):
        read(root)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(ManifestError, match=r"meta\.csv is not there"):
        read(tmp_path)
