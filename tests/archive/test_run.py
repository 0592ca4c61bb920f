"""Runs over small archives with real worker processes: one row each, nothing judged twice."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from avdetect.errors import CheckpointError, InputNotFoundError, UsageError
from tests.archive.known import KnownSpec, clips, judged, limits, request, run_locally


@pytest.fixture
def spec(tmp_path: Path) -> KnownSpec:
    return KnownSpec(tmp_path / "diary")


def rows_of(out: Path) -> dict[str, dict]:
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len({row["path"] for row in rows}) == len(rows)
    return {row["path"]: row for row in rows}


def test_every_input_has_its_row_in_order_of_names(tmp_path, spec):
    folder = clips(
        tmp_path / "in", {"b/2.wav": "real 2", "c.wav": "broken", "a.wav": "fake 1", "x.txt": "no"}
    )
    summary = run_locally(request(folder, tmp_path / "out.jsonl"), spec)
    rows = rows_of(tmp_path / "out.jsonl")
    assert list(rows) == [f"{folder}/{name}" for name in ("a.wav", "b/2.wav", "c.wav")]
    assert [row["decision"] for row in rows.values()] == ["fake", "real", "inconclusive"]
    assert rows[f"{folder}/a.wav"]["fake_llr"] == 3.0
    assert rows[f"{folder}/c.wav"]["error_code"] == "unreadable_media"
    assert summary.tally.decisions == {"fake": 1, "real": 1}
    assert summary.tally.failures == {"unreadable_media": 1}


def test_the_same_content_twice_is_judged_once_and_has_two_rows_under_its_names(tmp_path, spec):
    folder = clips(tmp_path / "in", {f"{n}.wav": "broken twin" for n in range(5)})
    run_locally(request(folder, tmp_path / "out.jsonl"), spec)
    rows = rows_of(tmp_path / "out.jsonl")
    assert len(judged(spec.diary)) == 1
    assert [row["error"] for row in rows.values()] == [f"{name}: no sound" for name in rows]
    assert len({row["sha256"] for row in rows.values()}) == 1


def test_a_rerun_judges_only_what_is_new_and_leaves_out_what_was_taken_away(tmp_path, spec):
    folder = clips(tmp_path / "in", {"a.wav": "fake a", "b.wav": "real b", "c.wav": "real c"})
    wanted = request(folder, tmp_path / "out.jsonl")
    run_locally(wanted, spec)
    clips(folder, {"b.wav": "fake now, and longer", "d.wav": "real d"})
    (folder / "c.wav").unlink()
    (folder / "a.wav").rename(folder / "renamed.wav")
    summary = run_locally(wanted, spec)
    rows = rows_of(tmp_path / "out.jsonl")
    assert [Path(name).name for name in rows] == ["b.wav", "d.wav", "renamed.wav"]
    assert rows[f"{folder}/b.wav"]["decision"] == "fake"
    assert rows[f"{folder}/renamed.wav"]["decision"] == "fake"
    assert summary.n_judged == 2
    assert len(judged(spec.diary)) == 5


def test_another_model_judges_everything_anew_and_the_first_is_not_forgotten(tmp_path, spec):
    folder = clips(tmp_path / "in", {"a.wav": "fake a", "b.wav": "real b"})
    wanted = request(folder, tmp_path / "out.jsonl")
    run_locally(wanted, spec)
    other = request(folder, tmp_path / "out.jsonl", model="another")
    assert run_locally(other, spec).n_judged == 2
    assert {row["model"] for row in rows_of(tmp_path / "out.jsonl").values()} == {"another"}
    assert run_locally(wanted, spec).n_judged == 0


def test_an_input_that_is_not_there_has_a_row_and_is_judged_once_it_is(tmp_path, spec):
    folder = clips(tmp_path / "in", {"a.wav": "fake a", "list.txt": "a.wav\nlate.wav\na.wav\n"})
    wanted = request(folder / "list.txt", tmp_path / "out.jsonl")
    run_locally(wanted, spec)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(row["path"], row["decision"]) for row in rows] == [
        ("a.wav", "fake"),
        ("late.wav", "inconclusive"),
        ("a.wav", "fake"),
    ]
    assert [row["error_code"] for row in rows] == [None, "not_found", None]
    clips(folder, {"late.wav": "real late"})
    assert run_locally(wanted, spec).n_judged == 1


def test_a_file_that_vanished_after_it_was_judged_keeps_its_verdict(tmp_path, spec):
    folder = clips(tmp_path / "in", {"a.wav": "fake a", "list.txt": "a.wav\n"})
    wanted = request(folder / "list.txt", tmp_path / "out.jsonl")
    run_locally(wanted, spec)
    (folder / "a.wav").unlink()
    run_locally(wanted, spec)
    assert rows_of(tmp_path / "out.jsonl")["a.wav"]["decision"] == "fake"


def test_a_twin_of_a_file_that_vanishes_before_its_turn_is_judged_instead(tmp_path):
    folder = clips(tmp_path / "in", {"a.wav": "fake twin", "b.wav": "fake twin"})
    spec = KnownSpec(tmp_path / "diary", vanishes=folder / "a.wav")  # when its worker starts
    run_locally(request(folder, tmp_path / "out.jsonl"), spec, limits(1))
    rows = rows_of(tmp_path / "out.jsonl")
    assert [row["error_code"] for row in rows.values()] == ["not_found", None]
    assert rows[f"{folder}/b.wav"]["decision"] == "fake"


def test_parquet_holds_the_same_rows_and_names_that_are_no_text(tmp_path, spec):
    import pyarrow.parquet as pq

    folder = clips(tmp_path / "in", {"a.wav": "fake a", "b.wav": "broken"})
    (folder / os.fsdecode(b"odd\xff\n.wav")).write_text("real odd")
    run_locally(request(folder, tmp_path / "out.parquet"), spec)
    run_locally(request(folder, tmp_path / "out.jsonl"), spec)
    table = pq.read_table(tmp_path / "out.parquet").to_pylist()
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row | {"verdict": json.loads(row["verdict"])} for row in table] == rows
    assert [row["path"].removeprefix(f"{folder}/") for row in table] == [
        "a.wav",
        "b.wav",
        r"odd\xff\n.wav",
    ]


def test_results_are_a_manifest_of_the_next_run(tmp_path, spec):
    folder = clips(tmp_path / "in", {"a.wav": "fake a", "b.wav": "real b"})
    run_locally(request(folder, tmp_path / "first.parquet"), spec)
    run_locally(request(tmp_path / "first.parquet", tmp_path / "second.jsonl"), spec)
    assert list(rows_of(tmp_path / "second.jsonl")) == [f"{folder}/a.wav", f"{folder}/b.wav"]


def test_nothing_is_left_beside_the_results_but_the_journal(tmp_path, spec):
    folder = clips(tmp_path / "in", {"a.wav": "fake a"})
    run_locally(request(folder, tmp_path / "out" / "r.jsonl"), spec)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "r.jsonl",
        "r.jsonl.journal",
    ]


@pytest.mark.parametrize(
    ("out", "error", "words"),
    [
        ("out.txt", UsageError, "name the results"),
        ("theirs.jsonl", UsageError, "is there already"),
        ("s3://bucket/out.parquet", UsageError, "--journal"),
    ],
)
def test_results_that_would_do_harm_are_refused(tmp_path, spec, out, error, words):
    (tmp_path / "theirs.jsonl").write_text("precious")
    folder = clips(tmp_path / "in", {"a.wav": "fake a"})
    where = out if "://" in out else str(tmp_path / out)
    with pytest.raises(error, match=words):
        run_locally(request(folder, where), spec)
    assert (tmp_path / "theirs.jsonl").read_text() == "precious"


def test_an_archive_without_inputs_is_an_error(tmp_path, spec):
    clips(tmp_path / "in", {"notes.txt": "nothing", "empty.csv": "path\n"})
    for inputs in ("in", "in/empty.csv", "nowhere"):
        with pytest.raises(InputNotFoundError, match=inputs):
            run_locally(request(tmp_path / inputs, tmp_path / f"{len(inputs)}.jsonl"), spec)


def test_results_of_one_archive_are_not_replaced_by_those_of_another(tmp_path, spec):
    first = clips(tmp_path / "first", {"a.wav": "fake a"})
    second = clips(tmp_path / "second", {"a.wav": "real a"})
    run_locally(request(first, tmp_path / "out.jsonl"), spec)
    with pytest.raises(UsageError, match=f"is about {first}"):
        run_locally(request(second, tmp_path / "out.jsonl"), spec)


def test_a_model_that_a_worker_refuses_ends_the_run(tmp_path):
    folder = clips(tmp_path / "in", {"a.wav": "fake a"})
    spec = KnownSpec(tmp_path / "diary", refuses=True)
    with pytest.raises(CheckpointError, match="not here"):
        run_locally(request(folder, tmp_path / "out.jsonl"), spec)
