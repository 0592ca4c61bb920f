import pytest

from avdetect.types import Segment
from eval.datasets import DATASETS
from eval.datasets.mlaad import read
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, states

_HEADER = (
    "path|original_file|language|is_original_language|duration|training_data|model_name|"
    "architecture|transcript\n"
)
_BARK, _MMS = "fake/de/suno_bark", "fake/en/facebook_mms-tts-eng"
_BARK_META = _HEADER + (
    f"./{_BARK}/a_01_f000001.wav|de/by_book/female/eva_k/grimms/wavs/a_01_f000001.wav|de|True|2.5|"
    'unknown|suno/bark|bark|Er sagte: "Komm\n'
    f"./{_BARK}/a_01_f000002.wav|de/by_book/female/eva_k/grimms/wavs/a_01_f000002.wav|de|True|1.25|"
    "unknown|suno/bark|bark|zwei | Teile\n"
)
_MMS_META = _HEADER + (
    "b_01_f000001.wav|en/by_book/male/x/wavs/b_01_f000001.wav|en|True|3|"
    "mms|facebook/mms-tts-eng|vits|hello\n"
)


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "MLAAD"
    put(root, f"{_BARK}/a_01_f000001.wav")
    (root / _MMS).mkdir(parents=True)
    (root / _BARK / "meta.csv").write_text(_BARK_META)
    (root / _MMS / "meta.csv").write_text(_MMS_META)
    (root / _MMS / "b_01_f000001.wav").write_bytes(b"RIFF")
    return root


def test_rows_hold_what_the_tables_say(root, tmp_path):
    first, second, third = read(root)
    assert first == ManifestRow(
        id="de/suno_bark/a_01_f000001",
        path=f"{_BARK}/a_01_f000001.wav",
        label="fake",
        audio_label="fake",
        fake_segments=(Segment(0.0, 2.5),),
        source="de/by_book/female/eva_k/grimms/wavs/a_01_f000001.wav",
        generator="suno/bark",
        kind="bark",
        language="de",
        duration_s=2.5,
        split="test",
    )
    assert second.duration_s == 1.25  # a quote in the text above and a | in its own change nothing
    assert third.path == f"{_MMS}/b_01_f000001.wav"
    assert (third.generator, third.kind) == ("facebook/mms-tts-eng", "vits")
    assert list(states([first, second, third], root).values()) == ["readable", "missing", "broken"]
    keeps_contract(DATASETS["mlaad"], root, tmp_path)


def test_another_layout_says_what_was_expected_where(root, tmp_path):
    with pytest.raises(ManifestError, match=r"no fake/LANGUAGE/MODEL/meta\.csv; point at"):
        read(tmp_path)
    meta = root / _MMS / "meta.csv"
    meta.write_text("file,label\na.wav,spoof\n")
    with pytest.raises(ManifestError, match=r"meta\.csv: no column path, original_file, language"):
        read(root)
    meta.write_text(_MMS_META.replace("|3|", "|long|"))
    with pytest.raises(ManifestError, match="entry 1: could not convert string to float: 'long'"):
        read(root)
    meta.write_text(_HEADER + "b.wav|en\n")
    with pytest.raises(ManifestError, match="line 2: 2 cells, expected 9"):
        read(root)
