import pytest

from eval.datasets import DATASETS
from eval.datasets.asvspoof2019_la import read
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, put_broken, states

_LISTS = {
    "train.trn": "LA_0079 LA_T_1138215 - - bonafide\nLA_0079 LA_T_1271820 - A01 spoof\n",
    "dev.trl": "LA_0069 LA_D_1047731 - - bonafide\nLA_0070 LA_D_1105538 - A05 spoof\n",
    "eval.trl": "LA_0039 LA_E_2834763 - A11 spoof\nLA_0014 LA_E_8877452 - - bonafide\n",
}


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "LA"
    folder = root / "ASVspoof2019_LA_cm_protocols"
    folder.mkdir(parents=True)
    for name, text in _LISTS.items():
        (folder / f"ASVspoof2019.LA.cm.{name}.txt").write_text(text)
    put(
        root,
        "ASVspoof2019_LA_train/flac/LA_T_1138215.flac",
        "ASVspoof2019_LA_train/flac/LA_T_1271820.flac",
        "ASVspoof2019_LA_dev/flac/LA_D_1047731.flac",
        "ASVspoof2019_LA_eval/flac/LA_E_2834763.flac",
    )
    put_broken(root, "ASVspoof2019_LA_dev/flac/LA_D_1105538.flac")
    return root


def test_rows_hold_what_the_protocols_say(root):
    rows = read(root)
    assert rows[0] == ManifestRow(
        id="LA_T_1138215",
        path="ASVspoof2019_LA_train/flac/LA_T_1138215.flac",
        label="real",
        audio_label="real",
        fake_segments=(),
        speaker="LA_0079",
        language="en",
        codec="flac",
        rate_hz=16000,
        split="train",
    )
    assert rows[4] == ManifestRow(
        id="LA_E_2834763",
        path="ASVspoof2019_LA_eval/flac/LA_E_2834763.flac",
        label="fake",
        audio_label="fake",
        speaker="LA_0039",
        generator="A11",
        kind="TTS, Griffin-Lim",
        language="en",
        codec="flac",
        rate_hz=16000,
        split="eval",
    )
    assert [row.split for row in rows] == ["train"] * 2 + ["dev"] * 2 + ["eval"] * 2


def test_missing_and_broken_media_stay(root, tmp_path):
    found = states(read(root), root)
    assert found["LA_T_1138215"] == found["LA_E_2834763"] == "readable"
    assert found["LA_D_1105538"] == "broken"
    assert found["LA_E_8877452"] == "missing"
    keeps_contract(DATASETS["asvspoof2019_la"], root, tmp_path)


def test_another_layout_says_what_was_expected_where(root):
    path = root / "ASVspoof2019_LA_cm_protocols" / "ASVspoof2019.LA.cm.dev.trl.txt"
    path.write_text("LA_D_1047731 bonafide\n")
    with pytest.raises(ManifestError, match=r"dev\.trl\.txt: line 1: 2 words, expected 5: speaker"):
        read(root)
    path.write_text("LA_0069 LA_D_1047731 - - genuine\n")
    with pytest.raises(ManifestError, match="entry 1: key 'genuine': expected one of bonafide"):
        read(root)
    path.unlink()
    with pytest.raises(ManifestError, match=r"dev\.trl\.txt is not there: expected the data set"):
        read(root)
