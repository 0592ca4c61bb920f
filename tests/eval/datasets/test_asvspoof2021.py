import pytest

from eval.datasets import DATASETS
from eval.datasets.asvspoof2021 import read_df, read_la
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, put_broken, states

_LA = """\
LA_0009 LA_E_9332881 alaw ita_tx A07 spoof notrim eval
LA_0020 LA_E_7294490 g722 loc_tx bonafide bonafide notrim eval
LA_0010 LA_E_1000002 none - A10 spoof notrim progress
LA_0012 LA_E_1000006 gsm pstn bonafide bonafide trim hidden
"""
_DF = """\
LA_0023 DF_E_2000011 nocodec asvspoof A14 spoof notrim progress traditional_vocoder - - - -
TEF2 DF_E_2000013 low_m4a vcc2020 Task1-team20 spoof notrim eval unknown Task1 team20 FF E
TGF1 DF_E_2000024 mp3m4a vcc2020 Task2-team12 spoof notrim eval unknown Task2 team12 FF G
LA_0043 DF_E_2000026 oggm4a asvspoof bonafide bonafide notrim eval bonafide - - - -
"""


def _folder(tmp_path, track, lines):
    root = tmp_path / track
    keys = root / "keys" / track / "CM" / "trial_metadata.txt"
    keys.parent.mkdir(parents=True)
    keys.write_text(lines)
    names = [line.split()[1] for line in lines.splitlines()]
    media = [f"ASVspoof2021_{track}_eval/flac/{name}.flac" for name in names]
    put(root, *media[:2])
    put_broken(root, media[2])
    return root


def test_la_rows_hold_codec_and_line(tmp_path):
    root = _folder(tmp_path, "LA", _LA)
    rows = read_la(root)
    assert rows[0] == ManifestRow(
        id="LA_E_9332881",
        path="ASVspoof2021_LA_eval/flac/LA_E_9332881.flac",
        label="fake",
        audio_label="fake",
        speaker="LA_0009",
        generator="A07",
        kind="TTS, vocoder and GAN",
        language="en",
        quality="ita_tx",
        codec="alaw",
        rate_hz=16000,
        split="eval",
    )
    assert (rows[1].label, rows[1].generator, rows[1].codec) == ("real", "", "g722")
    assert [row.split for row in rows] == ["eval", "eval", "progress", "hidden"]
    assert list(states(rows, root).values()) == ["readable", "readable", "broken", "missing"]
    keeps_contract(DATASETS["asvspoof2021_la"], root, tmp_path)


def test_df_rows_hold_compression_and_corpus(tmp_path):
    root = _folder(tmp_path, "DF", _DF)
    rows = read_df(root)
    assert rows[2] == ManifestRow(
        id="DF_E_2000024",
        path="ASVspoof2021_DF_eval/flac/DF_E_2000024.flac",
        label="fake",
        audio_label="fake",
        speaker="TGF1",
        source="vcc2020",
        generator="Task2-team12",
        kind="unknown",
        codec="mp3m4a",
        rate_hz=16000,
        split="eval",
    )
    assert {row.language for row in rows} == {""}  # a German target speaker may speak English
    assert (rows[3].label, rows[3].generator, rows[3].kind) == ("real", "", "")
    assert list(states(rows, root).values()) == ["readable", "readable", "broken", "missing"]
    keeps_contract(DATASETS["asvspoof2021_df"], root, tmp_path)


@pytest.mark.parametrize(("track", "read"), [("LA", read_la), ("DF", read_df)])
def test_another_layout_says_what_was_expected_where(tmp_path, track, read):
    with pytest.raises(ManifestError, match=rf"keys/{track}/CM/trial_metadata\.txt is not there"):
        read(tmp_path)
    root = _folder(tmp_path, track, "LA_0009 LA_E_9332881 - A07 spoof\n" * 3)
    with pytest.raises(ManifestError, match=r"line 1: 5 words, expected (8|13): speaker name"):
        read(root)
