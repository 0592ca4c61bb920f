import json

import pytest

from eval.datasets import DATASETS
from eval.datasets.df40 import read
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, put_broken, states

_ROOT = "deepfakes_detection_datasets"
_REAL = "FaceForensics++/original_sequences/youtube/c23/frames/000/000.png"
_TEST = "DF40/simswap/ff/frames/000_003/{}.png"
_TRAIN = "DF40_train/simswap/ff/frames/071_054/000.png"


def _videos(video, *paths):
    return {video: {"label": "x", "frames": [f"{_ROOT}/{path}" for path in paths]}}


@pytest.fixture
def root(tmp_path):
    root = tmp_path / _ROOT
    put(root, _REAL, _TEST.format("000"), "DF40/fomm/cdf/frames/id0_id1_0002/000.png")
    put_broken(root, _TEST.format("001"))
    (root / "dataset_json").mkdir()
    tested = _videos("000_003", _TEST.format("000"), _TEST.format("001"), _TEST.format("002"))
    real = _videos("000", _REAL)
    lists = {
        "simswap_ff": {
            "simswap_Real": {"test": real, "train": {}, "val": real},
            "simswap_Fake": {
                "test": tested,
                "val": tested,
                "train": _videos("071_054", _TRAIN.replace("/", "\\"), _TEST.format("000")),
            },
        },
        "fomm_cdf": {
            "fomm_Real": {"test": real},
            "fomm_Fake": {
                "test": _videos("id0_id1_0002", "DF40/fomm/cdf/frames/id0_id1_0002/000.png")
            },
        },
    }
    for name, labels in lists.items():
        (root / "dataset_json" / f"{name}.json").write_text(json.dumps({name: labels}))
    return root


def test_rows_hold_what_the_lists_say(root):
    rows = {row.id: row for row in read(root)}
    assert rows[_REAL] == ManifestRow(
        id=_REAL,
        path=_REAL,
        label="real",
        video_label="real",
        identity="000",
        source="000",
        quality="ff",
        split="test",
    )
    assert rows[_TRAIN] == ManifestRow(
        id=_TRAIN,
        path=_TRAIN,
        label="fake",
        video_label="fake",
        identity="071",
        source="054",
        generator="simswap",
        quality="ff",
        split="train",
    )
    driven = rows["DF40/fomm/cdf/frames/id0_id1_0002/000.png"]
    assert (driven.generator, driven.identity, driven.source) == ("fomm", "id0", "id1")


def test_a_frame_that_is_listed_often_is_one_row_and_tests_come_first(root):
    rows = read(root)
    assert len(rows) == 6
    assert next(row.split for row in rows if row.id == _TEST.format("000")) == "test"


def test_broken_and_missing_media_stay_in(root):
    found = states(read(root), root)
    assert [found[_TEST.format(n)] for n in ("000", "001", "002")] == [
        "readable",
        "broken",
        "missing",
    ]


def test_contract(root, tmp_path):
    keeps_contract(DATASETS["df40"], root, tmp_path)


def test_no_lists(tmp_path):
    with pytest.raises(ManifestError, match="expected dataset_json there"):
        read(tmp_path)
    (tmp_path / "dataset_json").mkdir()
    with pytest.raises(ManifestError, match=r"no <generator>_<domain>\.json"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"simswap_Fake": {"test": ["000_003"]}}, "expected data set -> label -> split"),
        ({"simswap_Fake": {"test": {"000_003": {"label": "x"}}}}, "expected a list 'frames'"),
        ({"simswap": {"test": _videos("000_003", "a.png")}}, "label 'simswap': expected a name"),
    ],
)
def test_other_lists(root, labels, told):
    (root / "dataset_json" / "simswap_ff.json").write_text(json.dumps({"simswap_ff": labels}))
    with pytest.raises(ManifestError, match=told):
        read(root)
