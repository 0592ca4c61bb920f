import pytest

from eval.datasets import DATASETS
from eval.datasets.asvspoof5 import read
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, put_broken, states

_LISTS = {
    "ASVspoof5.train.tsv": (
        "T_4850 T_0000000000 F - - - AC3 A05 spoof -\n"
        "T_3734 T_0000000011 F - - - - bonafide bonafide -\n"
    ),
    "ASVspoof5.dev.track_1.tsv": (
        "D_0062 D_0000000001 F - - - AC1 A11 spoof -\n"
        "D_0461 D_0000000190 M - - - - bonafide bonafide -\n"
    ),
    "ASVspoof5.eval.track_1.tsv": (
        "E_1607 E_0009538969 M C05 3 E_0001234567 AC2 A24 spoof -\n"
        "E_2525 E_0000000123 F - - - - bonafide bonafide -\n"
    ),
}


def _lay(root, folder=""):
    (root / folder).mkdir(parents=True)
    for name, text in _LISTS.items():
        (root / folder / name).write_text(text)
    put(
        root,
        "flac_T/T_0000000000.flac",
        "flac_T/T_0000000011.flac",
        "flac_D/D_0000000001.flac",
        "flac_E_eval/E_0009538969.flac",
    )
    put_broken(root, "flac_D/D_0000000190.flac")
    return root


def test_rows_hold_what_the_lists_say(tmp_path):
    root = _lay(tmp_path / "asvspoof5")
    rows = read(root)
    assert rows[1] == ManifestRow(
        id="T_0000000011",
        path="flac_T/T_0000000011.flac",
        label="real",
        audio_label="real",
        fake_segments=(),
        speaker="T_3734",
        source="T_0000000011",
        language="en",
        codec="flac",
        rate_hz=16000,
        split="train",
    )
    assert rows[4] == ManifestRow(
        id="E_0009538969",
        path="flac_E_eval/E_0009538969.flac",
        label="fake",
        audio_label="fake",
        speaker="E_1607",
        source="E_0001234567",
        generator="A24",
        kind="AC2",
        language="en",
        quality="3",
        codec="C05",
        rate_hz=16000,
        split="eval",
    )
    found = states(rows, root)
    assert found["E_0009538969"] == "readable"
    assert found["D_0000000190"] == "broken"
    assert found["E_0000000123"] == "missing"
    keeps_contract(DATASETS["asvspoof5"], root, tmp_path)


def test_the_lists_may_lie_in_a_folder_of_their_own(tmp_path):
    assert read(_lay(tmp_path / "a", "ASVspoof5_protocols")) == read(_lay(tmp_path / "b"))


def test_another_layout_says_what_was_expected_where(tmp_path):
    root = _lay(tmp_path / "asvspoof5")
    # The challenge's first release had six columns.
    (root / "ASVspoof5.train.tsv").write_text("T_4850 T_0000000000 F - A05 spoof\n")
    with pytest.raises(ManifestError, match=r"train\.tsv: line 1: 6 words, expected 10: speaker"):
        read(root)
    (root / "ASVspoof5.train.tsv").unlink()
    with pytest.raises(ManifestError, match=r"train\.tsv is not there, nor in ASVspoof5_"):
        read(root)
