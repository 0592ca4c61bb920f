import json

import pytest

from eval.datasets import DATASETS
from eval.datasets.polyglotfake import read
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, put_broken, states

_PAGE = "https://example.org/watch?v=P8"
_TALK = {
    "filename": "es_1.mp4",
    "duration": "00:01:07",
    "source": _PAGE,
    "characters": [{"age": 40, "sex": "female"}],
}


def _dub(name, raw, tts="Xtts"):
    return {
        "name": name,
        "raw_video_name": raw,
        "duration": "10.62",
        "tts_technique": tts,
        "sync_tech": "video_retalking",
    }


def _write_lists(root):
    real, fake = root / "json_file/real_json_file", root / "json_file/fake_Json_file"
    real.mkdir(parents=True)
    fake.mkdir()
    dubs = [
        _dub("es_1_to_ar_Xtts.mp4", "es_1.mp4"),
        _dub("es_1_to_ar_Vall.mp4", "es_1.mp4", "Vall"),
    ]
    for language in ("ar", "en", "es", "fr", "ja", "ru", "zh"):
        talks = {"language": language, "videos": [_TALK] if language == "es" else []}
        (real / f"{language}.json").write_text(json.dumps(talks))
        videos = {"language": language, "video": dubs if language == "ar" else []}
        (fake / f"to_{language}.json").write_text(json.dumps(videos))


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "PolyGlotFake"
    _write_lists(root)
    put(root, "real/es/es_1.mp4")
    put_broken(root, "fake/to_ar/es_1_to_ar_Xtts.mp4")
    return root


def test_rows_hold_what_the_lists_say(root):
    talk, dub, _ = read(root)
    assert talk == ManifestRow(
        id="real/es/es_1.mp4",
        path="real/es/es_1.mp4",
        label="real",
        audio_label="real",
        video_label="real",
        source=_PAGE,
        language="es",
        duration_s=67.0,
        split="test",
    )
    assert dub == ManifestRow(
        id="fake/to_ar/es_1_to_ar_Xtts.mp4",
        path="fake/to_ar/es_1_to_ar_Xtts.mp4",
        label="fake",
        audio_label="fake",
        video_label="fake",
        source=_PAGE,
        generator="Xtts+video_retalking",
        kind="dub",
        language="ar",
        duration_s=10.62,
        split="test",
    )


def test_media_one_folder_deeper_do_as_well(root):
    (root / "raw_dataset").mkdir()
    for name in ("real", "fake"):
        (root / name).rename(root / "raw_dataset" / name)
    assert list(states(read(root), root)) == [
        "raw_dataset/real/es/es_1.mp4",
        "raw_dataset/fake/to_ar/es_1_to_ar_Xtts.mp4",
        "raw_dataset/fake/to_ar/es_1_to_ar_Vall.mp4",
    ]


def test_broken_and_missing_media_stay_in(root):
    assert list(states(read(root), root).values()) == ["readable", "broken", "missing"]


def test_contract(root, tmp_path):
    keeps_contract(DATASETS["polyglotfake"], root, tmp_path)


def test_no_media_folders(tmp_path):
    with pytest.raises(ManifestError, match="expected real or raw_dataset/real there"):
        read(tmp_path)


def test_no_list_of_a_language(root):
    (root / "json_file/real_json_file/ja.json").unlink()
    with pytest.raises(ManifestError, match=r"ja\.json is not there: expected"):
        read(root)


def test_a_list_of_another_form(root):
    (root / "json_file/fake_Json_file/to_fr.json").write_text('{"videos": []}')
    with pytest.raises(ManifestError, match="expected a list 'video'"):
        read(root)
