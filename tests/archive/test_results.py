"""The results file: whole or not at all, here or in a bucket."""

from __future__ import annotations

import io
import json

import fsspec
import pyarrow.parquet as pq
import pytest

from avdetect.archive.journal import Settled
from avdetect.archive.results import BRANCHES, COLUMNS, result_row, write_results
from avdetect.errors import OutputError
from avdetect.types import Decision
from avdetect.verdict import BranchVerdict, Failure, Input, Verdict

SHA = "5f" * 32


def a_row(path: str = "call.wav") -> dict:
    verdict = Verdict(
        input=Input(path="/first/name.wav", duration_s=61.0),
        decision=Decision.FAKE,
        fake_llr=4.25,
        fake_probability=0.9859,
        prior_fake=0.5,
        branches={"voice_clone": BranchVerdict(fake_llr=4.25, quality=0.9)},
        missing={"lip_sync": "no face", "visual_forgery": "no picture"},
    )
    settled = Settled(name=path, sha256=SHA, verdict=verdict, failure=None)
    return result_row(settled, path, prior_fake=0.5, model="a model")


def a_failed_row() -> dict:
    failure = Failure(code="crashed", message="signal SIGSEGV")
    settled = Settled(name="bad.wav", sha256=SHA, verdict=None, failure=failure)
    return result_row(settled, "bad.wav", prior_fake=0.1, model="a model")


def test_columns_of_branches_are_the_branches_there_are():
    from avdetect import branches

    assert set(BRANCHES) == set(branches.BRANCHES)


def test_a_row_has_every_column_and_the_name_it_is_asked_under():
    row = a_row("copy.wav")
    assert list(row) == list(COLUMNS)
    assert (row["path"], row["sha256"], row["model"]) == ("copy.wav", SHA, "a model")
    assert (row["decision"], row["fake_llr"], row["voice_clone"]) == ("fake", 4.25, 4.25)
    assert row["lip_sync"] is None
    assert row["missing"] == "lip_sync: no face; visual_forgery: no picture"
    assert Verdict.from_json(row["verdict"]).input.path == "copy.wav"


def test_a_row_without_a_verdict_says_why_and_guesses_nothing():
    row = a_failed_row()
    assert (row["decision"], row["fake_llr"]) == ("inconclusive", None)
    assert (row["error_code"], row["error"]) == ("crashed", "signal SIGSEGV")
    assert row["prior_fake"] == 0.1


def test_both_formats_hold_the_same_and_are_counted(tmp_path):
    rows = [a_row("1.wav"), a_failed_row(), a_row("2.wav")]
    for name in ("out.parquet", "out.jsonl"):
        tally = write_results(iter(rows), str(tmp_path / name))
        assert (tally.n_rows, dict(tally.decisions)) == (3, {"fake": 2})
        assert dict(tally.failures) == {"crashed": 1}
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == rows
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    nested = [row | {"verdict": json.loads(row["verdict"])} for row in rows]
    assert [json.loads(line) for line in lines] == nested


@pytest.mark.parametrize("name", ["out.parquet", "out.jsonl"])
def test_results_that_fail_half_way_leave_those_of_before(tmp_path, name):
    def breaking():
        yield a_row()
        raise OSError(28, "No space left on device")

    (tmp_path / name).write_text("of before")
    with pytest.raises(OutputError, match="No space left on device; every judgement is kept"):
        write_results(breaking(), str(tmp_path / name))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "of before"


def test_results_go_to_a_bucket_whole():
    memory = fsspec.filesystem("memory")
    try:
        write_results(iter([a_row()]), "memory://bucket/out.parquet")
        assert memory.ls("/bucket", detail=False) == ["/bucket/out.parquet"]
        table = pq.read_table(io.BytesIO(memory.cat_file("/bucket/out.parquet")))
        assert table.to_pylist() == [a_row()]
    finally:
        memory.store.clear()
