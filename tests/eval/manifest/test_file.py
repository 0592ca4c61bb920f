from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avdetect.errors import OutputError
from avdetect.types import Segment
from eval.errors import ManifestError
from eval.manifest.file import (
    COLUMNS,
    parse_segments,
    read_manifest,
    segments_text,
    write_manifest,
)
from eval.manifest.row import ManifestRow

REAL = ManifestRow(id="r, 1", path="a/r.wav", label="real", speaker='the "one"', audio_label="real")
FAKE = ManifestRow(
    id="f",
    path="a/f.mp4",
    label="fake",
    audio_path="a/f.opus",
    audio_label="fake",
    video_label="real",
    fake_segments=(Segment(1.2, 3.4), Segment(1 / 3, 5.64)),
    start_s=0.0,
    end_s=1e-5,
    speaker="s",
    identity="i",
    source="owner/repo",
    generator="gän",
    kind="vocoder",
    language="de",
    quality="line\nbreak",
    codec="opus",
    rate_hz=8000,
    duration_s=5.64,
    split="test",
    fold="one",
)
UNKNOWN = ManifestRow(id="u", path="u.wav", label="fake")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_reads_back_exactly_what_was_written(tmp_path, suffix):
    path = tmp_path / f"m{suffix}"
    write_manifest(path, [REAL, FAKE, UNKNOWN])
    assert read_manifest(path) == [REAL, FAKE, UNKNOWN]
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_columns_are_the_fields_of_a_row_in_order(tmp_path):
    write_manifest(tmp_path / "m.csv", [FAKE])
    header, *_ = (tmp_path / "m.csv").read_text("utf-8").splitlines()
    assert header.split(",") == list(COLUMNS) == list(ManifestRow.__slots__)
    assert "1.2-3.4;0.3333333333333333-5.64" in (tmp_path / "m.csv").read_text("utf-8")


def test_an_empty_word_is_nothing_forged_for_real_and_unknown_for_fake(tmp_path):
    write_manifest(tmp_path / "m.csv", [REAL, UNKNOWN])
    real, fake = read_manifest(tmp_path / "m.csv")
    assert real.fake_segments == ()
    assert fake.fake_segments is None


def test_a_fake_without_any_forged_part_is_not_written(tmp_path):
    with pytest.raises(ManifestError, match=r"m\.csv: row 2: 'f' is fake with no forged part"):
        write_manifest(tmp_path / "m.csv", [REAL, replace(FAKE, fake_segments=())])
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "m.csv"
    write_manifest(path, [REAL])
    with pytest.raises(ManifestError, match="id 'u' twice"):
        write_manifest(path, [UNKNOWN, UNKNOWN])
    assert read_manifest(path) == [REAL]


def _written(manifest: Path, **cells: str) -> Path:
    record = dict.fromkeys(COLUMNS, "") | {"id": "x", "path": "x.wav", "label": "fake"} | cells
    manifest.write_text(f"{','.join(record)}\n{','.join(record.values())}\n", "utf-8")
    return manifest


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"label": "spoof"}, "row 1: label must be real or fake: 'spoof'"),
        ({"id": ""}, "row 1: id is empty"),
        ({"path": ""}, "row 1: path is empty"),
        ({"audio_label": "cloned"}, "row 1: audio_label and video_label must be"),
        ({"label": "real", "generator": "WaveNet"}, "row 1: a real clip has neither"),
        ({"label": "real", "fake_segments": "0-1"}, "row 1: a real clip has neither"),
        ({"label": "real", "audio_label": "fake"}, "row 1: a clip with a fake part is not real"),
        ({"fake_segments": "1.2"}, "row 1: fake_segments '1.2': want seconds as 1.2-3.4"),
        ({"fake_segments": "3-1"}, "row 1: segment ends before it starts"),
        ({"duration_s": "long"}, "row 1: duration_s 'long': want a number"),
        ({"duration_s": "nan"}, "row 1: duration_s 'nan': want a number"),
        ({"start_s": "-1"}, "row 1: start_s '-1': want a number of at least 0"),
        ({"start_s": "1", "end_s": ""}, "row 1: a segment has a start_s and an end_s"),
        ({"start_s": "3", "end_s": "1"}, "row 1: start_s 3.0 is not before end_s 1.0"),
        ({"rate_hz": "8000.5"}, "row 1: rate_hz '8000.5': want whole samples"),
        ({"speed": "1"}, "unknown columns: speed; the columns are id, path"),
    ],
)
def test_refuses_bad_values_with_file_row_and_cure(tmp_path, cells, message):
    path = _written(tmp_path / "m.csv", **cells)
    with pytest.raises(ManifestError) as caught:
        read_manifest(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_missing_columns_and_second_ids(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("id,path,label\nx,x.wav,real\n", "utf-8")
    with pytest.raises(ManifestError, match="missing columns: audio_path, audio_label"):
        read_manifest(path)
    write_manifest(path, [REAL, UNKNOWN])
    path.write_text(path.read_text("utf-8").replace("\nu,", '\n"r, 1",'), "utf-8")
    with pytest.raises(ManifestError, match="row 2: id 'r, 1' stands in row 1 already"):
        read_manifest(path)


def test_a_row_of_another_length_is_refused(tmp_path):
    path = _written(tmp_path / "m.csv")
    path.write_text(path.read_text("utf-8") + "y,y.wav\n", "utf-8")
    with pytest.raises(ManifestError, match="row 2: 2 cells under 21 columns"):
        read_manifest(path)


@pytest.mark.parametrize("name", ["m.csv", "m.parquet"])
def test_tells_a_missing_file_another_suffix_and_rubbish(tmp_path, name):
    with pytest.raises(ManifestError, match="no such manifest"):
        read_manifest(tmp_path / name)
    with pytest.raises(ManifestError, match=r"a \.csv or \.parquet file"):
        read_manifest(tmp_path / "m.xlsx")
    with pytest.raises(ManifestError, match=r"a \.csv or \.parquet file"):
        write_manifest(tmp_path / "m.json", [REAL])
    (tmp_path / name).write_bytes(b"\xff\xfe\x00rubbish")
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(tmp_path / name)


def test_parquet_of_others_may_hold_nulls_and_floats(tmp_path):
    record = dict.fromkeys(COLUMNS) | {"id": "x", "path": "x.wav", "label": "fake"}
    table = pa.Table.from_pylist([record | {"rate_hz": 16000.0, "duration_s": 2}])
    pq.write_table(table, tmp_path / "m.parquet")
    (row,) = read_manifest(tmp_path / "m.parquet")
    assert row == replace(UNKNOWN, id="x", path="x.wav", rate_hz=16000, duration_s=2.0)


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    path = _written(tmp_path / "m.csv")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert [row.id for row in read_manifest(path)] == ["x"]


@pytest.mark.parametrize("seed", range(50))
def test_segments_survive_as_text(seed):
    rng = np.random.default_rng(seed)
    # Tiny, everyday and huge times, at full precision.
    times = np.sort(rng.random((4, 2)) * 10.0 ** rng.integers(-9, 8, (4, 1)), axis=1)
    segments = tuple(Segment(start, end) for start, end in times.tolist())
    assert parse_segments(segments_text(segments)) == segments


def test_a_manifest_needs_a_row(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text(",".join(COLUMNS) + "\n")
    with pytest.raises(ManifestError, match="holds no row"):
        read_manifest(path)


def test_a_folder_is_made_and_one_that_cannot_be_is_named(tmp_path):
    rows = [ManifestRow(id="a", path="a.wav", label="real")]
    write_manifest(tmp_path / "new/folder/m.csv", rows)
    assert read_manifest(tmp_path / "new/folder/m.csv") == rows
    with pytest.raises(OutputError, match="cannot be written"):
        write_manifest(tmp_path / "new/folder/m.csv/m.csv", rows)
