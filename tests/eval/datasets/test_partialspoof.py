import itertools

import numpy as np
import pytest

from avdetect.types import Segment
from eval.datasets import DATASETS
from eval.datasets.partialspoof import read, spoofed_segments
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, states

_LABELS = {  # 1 is bona fide, 0 spoof; digits as text, as the archive has them
    "train": {"LA_T_1138215": "11111", "CON_T_0000029": "1100111000"},
    "dev": {"LA_D_1047731": "111", "CON_D_0000001": "000"},
    "eval": {"CON_E_0000002": "0111", "LA_E_2834763": "1111"},
}
_SPEAKERS = {"train": "LA_0079", "dev": "LA_0069", "eval": "LA_0039"}


def _write_labels(path, labels):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = {name: np.array(list(digits)) for name, digits in labels.items()}
    np.save(path, table, allow_pickle=True)


def _line(split, name):
    ending = "CON spoof" if name.startswith("CON") else "- bonafide"
    return f"{_SPEAKERS[split]} {name} - {ending}\n"


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "database"
    folder = root / "protocols" / "PartialSpoof_LA_cm_protocols"
    folder.mkdir(parents=True)
    for split, labels in _LABELS.items():
        lines = "".join(_line(split, name) for name in labels)
        (folder / f"PartialSpoof.LA.cm.{split}.trl.txt").write_text(lines)
        _write_labels(root / "segment_labels" / f"{split}_seglab_0.01.npy", labels)
    put(root, "train/con_wav/LA_T_1138215.wav", "train/con_wav/CON_T_0000029.wav")
    put(root, "dev/con_wav/LA_D_1047731.wav", "eval/con_wav/CON_E_0000002.wav")
    (root / "dev/con_wav/CON_D_0000001.wav").write_bytes(b"RIFF")
    return root


def test_rows_hold_protocol_and_segments(root, tmp_path):
    rows = {row.id: row for row in read(root)}
    assert rows["CON_T_0000029"] == ManifestRow(
        id="CON_T_0000029",
        path="train/con_wav/CON_T_0000029.wav",
        label="fake",
        audio_label="fake",
        fake_segments=(Segment(0.02, 0.04), Segment(0.07, 0.1)),
        speaker="LA_0079",
        generator="CON",
        kind="splice",
        language="en",
        codec="wav",
        rate_hz=16000,
        split="train",
    )
    assert rows["LA_T_1138215"].fake_segments == ()
    assert rows["CON_D_0000001"].fake_segments == (Segment(0.0, 0.03),)
    found = states(list(rows.values()), root)
    assert found["CON_T_0000029"] == "readable"
    assert found["CON_D_0000001"] == "broken"
    assert found["LA_E_2834763"] == "missing"
    keeps_contract(DATASETS["partialspoof"], root, tmp_path)


def test_longer_frames_serve_where_the_finest_are_not_there(root):
    fine = root / "segment_labels" / "dev_seglab_0.01.npy"
    fine.rename(fine.with_name("dev_seglab_0.16.npy"))
    rows = {row.id: row for row in read(root)}
    assert rows["CON_D_0000001"].fake_segments == (Segment(0.0, 0.48),)


def test_labels_of_the_other_sense_are_refused(root):
    _write_labels(
        root / "segment_labels" / "dev_seglab_0.01.npy",
        {"LA_D_1047731": "000", "CON_D_0000001": "011"},
    )
    with pytest.raises(
        ManifestError, match=r"dev\.trl\.txt: entry 1: LA_D_1047731 is bonafide with"
    ):
        read(root)


def test_another_layout_says_what_was_expected_where(root):
    labels = root / "segment_labels" / "eval_seglab_0.01.npy"
    _write_labels(labels, {"LA_E_2834763": "1111"})
    with pytest.raises(ManifestError, match="entry 1: CON_E_0000002 has no frame labels"):
        read(root)
    labels.unlink()
    with pytest.raises(ManifestError, match=r"segment_labels: no eval_seglab_0\.01\.npy"):
        read(root)
    with pytest.raises(ManifestError, match=r"PartialSpoof\.LA\.cm\.train\.trl\.txt is not there"):
        read(root.parent)


@pytest.mark.parametrize("n_frames", range(1, 51))
def test_segments_cover_exactly_the_spoofed_frames(n_frames):
    labels = np.random.default_rng(n_frames).integers(0, 2, n_frames).tolist()
    found = spoofed_segments(np.array(labels), 0.02)
    covered = [
        any(s.start_s <= (i + 0.5) * 0.02 < s.end_s for s in found) for i in range(len(labels))
    ]
    assert covered == [label == 0 for label in labels]
    assert all(a.end_s < b.start_s for a, b in itertools.pairwise(found))
