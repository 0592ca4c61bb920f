import pytest

from eval.datasets import DATASETS
from eval.datasets.wavefake import read
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, states

_TTS = "common_voices_prompts_from_conformer_fastspeech2_pwg_ljspeech"


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "wavefake"
    put(
        root,
        "generated_audio/ljspeech_melgan/LJ008-0217_gen.wav",
        "generated_audio/ljspeech_hifiGAN/LJ008-0217_generated.wav",
        f"generated_audio/{_TTS}/generated/gen_7735.wav",
        "generated_audio/jsut_multi_band_melgan/BASIC5000_0001_gen.wav",
        "LJSpeech-1.1/wavs/LJ008-0217.wav",
    )
    (root / "generated_audio/ljspeech_melgan/LJ008-0218_gen.wav").write_bytes(b"RIFF")
    return root


def test_rows_are_the_files_below_the_known_folders(root, tmp_path):
    rows = {row.id: row for row in read(root)}
    assert rows["ljspeech_melgan/LJ008-0217_gen"] == ManifestRow(
        id="ljspeech_melgan/LJ008-0217_gen",
        path="generated_audio/ljspeech_melgan/LJ008-0217_gen.wav",
        label="fake",
        audio_label="fake",
        speaker="LJ",
        source="LJ008-0217",
        generator="ljspeech_melgan",
        kind="vocoder",
        language="en",
        codec="wav",
        rate_hz=22050,
        split="test",
    )
    assert rows["LJSpeech-1.1/LJ008-0217"] == ManifestRow(
        id="LJSpeech-1.1/LJ008-0217",
        path="LJSpeech-1.1/wavs/LJ008-0217.wav",
        label="real",
        audio_label="real",
        fake_segments=(),
        speaker="LJ",
        source="LJ008-0217",
        language="en",
        codec="wav",
        rate_hz=22050,
        split="test",
    )
    assert rows[f"{_TTS}/gen_7735"].kind == "text-to-speech"
    japanese = rows["jsut_multi_band_melgan/BASIC5000_0001_gen"]
    assert (japanese.speaker, japanese.language, japanese.rate_hz) == ("JSUT", "ja", 24000)
    found = states(list(rows.values()), root)
    assert found.pop("ljspeech_melgan/LJ008-0218_gen") == "broken"
    assert set(found.values()) == {"readable"}
    keeps_contract(DATASETS["wavefake"], root, tmp_path)


def test_a_copy_and_its_original_are_of_one_source(root):
    sources = {row.source for row in read(root) if "LJ008-0217" in row.path}
    assert sources == {"LJ008-0217"}


def test_another_layout_says_what_was_expected_where(root, tmp_path):
    with pytest.raises(ManifestError, match="generated_audio is not there: expected WaveFake"):
        read(tmp_path)
    put(root, "generated_audio/real/a.wav")
    with pytest.raises(ManifestError, match=r"unknown folders \['real'\]: expected some of"):
        read(root)
