import pytest

from eval.datasets import DATASETS
from eval.datasets.fakeavceleb import read
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, put_broken, states

_HEADER = "source,target1,target2,method,category,type,race,gender,path,\n"
_REAL = "RealVideo-RealAudio/African/men/id00076/00109.mp4"
_CLONED = "RealVideo-FakeAudio/African/men/id00076/00109_fake.mp4"
_SWAPPED = "FakeVideo-RealAudio/African/men/id00076/00109_id00166_faceswap.mp4"
_BOTH = "FakeVideo-FakeAudio/African/men/id00076/00109_2_id00166_wavtolip.mp4"


def _line(path, donor, method, category):
    kind, race, gender, person, file = path.split("/")
    folder = f"FakeAVCeleb/{kind}/{race}/{gender}/{person}"
    return f"{person},{donor},-,{method},{category},{kind},{race},{gender},{file},{folder}\n"


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "FakeAVCeleb_v1.2"
    put(root, _REAL, _SWAPPED)
    put_broken(root, _CLONED)
    (root / "meta_data.csv").write_text(
        _HEADER
        + _line(_REAL, "-", "real", "A")
        + _line(_CLONED, "-", "rtvc", "B")
        + _line(_SWAPPED, "id00166", "faceswap", "C")
        + _line(_BOTH, "id00166", "faceswap-wav2lip", "D")
    )
    return root


def test_rows_hold_what_the_table_says(root):
    real, cloned, swapped, both = read(root)
    assert real == ManifestRow(
        id=_REAL,
        path=_REAL,
        label="real",
        audio_label="real",
        video_label="real",
        speaker="id00076",
        identity="id00076",
        source="id00076",
        split="test",
    )
    assert (cloned.label, cloned.audio_label, cloned.video_label) == ("fake", "fake", "real")
    assert (cloned.generator, cloned.kind) == ("rtvc", "RealVideo-FakeAudio")
    assert cloned.fake_segments is None
    assert cloned.speaker == ""
    assert (swapped.audio_label, swapped.video_label) == ("real", "fake")
    assert (swapped.identity, swapped.source) == ("id00076", "id00166")
    assert (both.audio_label, both.video_label) == ("fake", "fake")
    assert both.generator == "faceswap-wav2lip"


def test_broken_and_missing_media_stay_in(root):
    assert states(read(root), root) == {
        _REAL: "readable",
        _CLONED: "broken",
        _SWAPPED: "readable",
        _BOTH: "missing",
    }


def test_contract(root, tmp_path):
    keeps_contract(DATASETS["fakeavceleb"], root, tmp_path)


def test_no_table(tmp_path):
    with pytest.raises(ManifestError, match=r"meta_data\.csv is not there: expected"):
        read(tmp_path)


def test_other_columns(root):
    (root / "meta_data.csv").write_text("file,label\na.mp4,0\n")
    with pytest.raises(ManifestError, match="no column source, target1, method"):
        read(root)


def test_unknown_type(root):
    line = _line(_REAL.replace("RealAudio", "NoAudio"), "-", "real", "A")
    (root / "meta_data.csv").write_text(_HEADER + line)
    with pytest.raises(ManifestError, match="entry 1: type 'RealVideo-NoAudio': expected one of"):
        read(root)


def test_a_path_that_leads_outside(root):
    line = _line(_REAL, "-", "real", "A").replace("FakeAVCeleb/Real", "../Real")
    (root / "meta_data.csv").write_text(_HEADER + line)
    with pytest.raises(ManifestError, match="leads out of the data set"):
        read(root)
