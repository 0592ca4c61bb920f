"""``python -m eval metrics`` as a user meets it."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest

from eval import metrics
from eval.__main__ import main
from eval.errors import ScoresError
from eval.manifest.file import write_manifest
from eval.manifest.row import ManifestRow
from eval.score_file import read_score_file

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics_cm.json"
KEYS = ("eer", "auc", "ap", "min_dcf", "min_cllr", "tpr_at_fpr_0.01")
LLR_KEYS = ("act_dcf", "cllr", "ece")


def write(path: Path, rows, header="id,label,score") -> str:
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return str(path)


@pytest.fixture
def trials():
    rng = np.random.default_rng(0)
    is_fake = np.arange(60) % 2
    return is_fake, rng.normal(2.0 * is_fake - 1.0, 1.0)


def rows_of(trials, names=("real", "fake"), sign=1.0):
    is_fake, scores = trials
    return [(f"u{n}", names[is_fake[n]], sign * scores[n], f"s{n // 4}") for n in range(60)]


def test_prints_one_json_object_with_every_figure(tmp_path, capsys, trials):
    path = write(tmp_path / "s.csv", rows_of(trials), "id,label,score,speaker")
    assert main(["metrics", path, "--higher", "fake", "--groups", "speaker", "--draws", "50"]) == 0
    figures = json.loads(capsys.readouterr().out)
    for key in (*KEYS, *LLR_KEYS):
        low, high = figures["intervals"][key]
        assert low <= high
        assert math.isfinite(figures[key])
    assert figures["auc"] == pytest.approx(metrics.auc(*trials))
    assert (figures["n_groups"], figures["resampled"]) == (15, "speaker")


@pytest.mark.parametrize("column", ["speaker", "identity"])
def test_trials_of_one_person_are_resampled_as_one_without_being_asked(
    tmp_path, capsys, trials, column
):
    path = write(tmp_path / "s.csv", rows_of(trials), f"id,label,score,{column}")
    main(["metrics", path, "--higher", "fake", "--draws", "5"])
    main(["metrics", path, "--higher", "fake", "--draws", "5", "--groups", "id"])
    by_person, by_trial = map(json.loads, capsys.readouterr().out.splitlines())
    assert (by_person["n_groups"], by_person["resampled"]) == (15, column)
    assert (by_trial["n_groups"], by_trial["resampled"]) == (60, "trial")


def test_direction_and_label_words_do_not_change_the_figures(tmp_path, capsys, trials):
    ours = write(tmp_path / "a.csv", rows_of(trials), "id,label,score,speaker")
    theirs = rows_of(trials, ("bonafide", "spoof"), -1.0)
    official = write(tmp_path / "b.csv", theirs, "id,label,score,speaker")
    assert main(["metrics", ours, "--higher", "fake", "--draws", "5"]) == 0
    assert main(["metrics", official, "--higher", "bonafide", "--draws", "5"]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == second


def test_raw_scores_have_no_llr_figures(tmp_path, capsys, trials):
    path = write(tmp_path / "s.csv", rows_of(trials), "id,label,score,speaker")
    main(["metrics", path, "--higher", "fake", "--scores", "raw", "--draws", "5"])
    figures = json.loads(capsys.readouterr().out)
    assert set(KEYS) <= figures.keys()
    assert not set(LLR_KEYS) & figures.keys()


def test_compat_equals_the_official_scorer_on_ties(tmp_path, capsys):
    cases = {case["name"]: case for case in json.loads(GOLDEN.read_text())["cases"]}
    case = cases["ties_integers"]
    rows = [
        (number, ("spoof", "bonafide")[label], score)
        for number, (label, score) in enumerate(zip(case["labels"], case["scores"], strict=True))
    ]
    path = write(tmp_path / "s.csv", rows)
    main(["metrics", path, "--higher", "bonafide", "--compat", "--draws", "5"])
    main(["metrics", path, "--higher", "bonafide", "--draws", "5"])
    official, default = map(json.loads, capsys.readouterr().out.splitlines())
    assert official["eer"] == pytest.approx(case["asvspoof5_track1"]["eer"], abs=1e-6)
    assert official["min_dcf"] == pytest.approx(case["asvspoof5_track1"]["minDCF"], abs=1e-6)
    assert default["eer"] < official["eer"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("a", "real", 1), ("a", "fake", 2)], "more than once"),
        ([("a", "real", 1), ("", "fake", 2)], "id is missing"),
        ([("a", "real", 1), ("b", "fake", "nan")], "not a finite number"),
        ([("a", "real", 1), ("b", "fake", "-inf")], "not a finite number"),
        ([("a", "real", 1), ("b", "fake", "")], "not a finite number"),
        ([("a", "real", 1), ("b", "real", 2)], "one class only"),
        ([("a", "real", 1), ("b", "cloned", 2)], "unknown label 'cloned'"),
        ([("a", "real", 1), ("b", "fake")], "not as many fields"),
        ([("a", "real", 1), ("b", "fake", 2, 3)], "not as many fields"),
        ([], "one class only"),
    ],
)
def test_bad_files_are_refused_with_the_reason(tmp_path, capsys, rows, words):
    path = write(tmp_path / "s.csv", rows)
    assert main(["metrics", path, "--higher", "fake"]) == 2
    shown = capsys.readouterr()
    assert words in shown.err
    assert path in shown.err
    assert shown.out == ""


@pytest.mark.parametrize("text", ["", "id,label,score,score\na,real,0,1\nb,fake,1,0\n", "\xff"])
def test_a_file_without_one_column_of_each_name_is_refused(tmp_path, capsys, text):
    path = tmp_path / "s.csv"
    path.write_bytes(text.encode("latin-1"))
    assert main(["metrics", str(path), "--higher", "fake"]) == 2
    assert capsys.readouterr().err.startswith(f"error: {path}: ")


def test_a_packed_score_file_reads_as_the_plain_one(tmp_path, capsys, trials):
    plain = Path(write(tmp_path / "s.csv", rows_of(trials), "id,label,score,speaker"))
    packed = tmp_path / "s.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for path in (plain, packed):
        assert main(["metrics", str(path), "--higher", "fake", "--draws", "5"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    packed.write_bytes(packed.read_bytes()[:-20])
    assert main(["metrics", str(packed), "--higher", "fake"]) == 2


@pytest.mark.parametrize("option", [("--cost-miss", "inf"), ("--draws", "0")])
def test_options_that_mean_nothing_are_refused(tmp_path, capsys, trials, option):
    path = write(tmp_path / "s.csv", rows_of(trials), "id,label,score,speaker")
    assert main(["metrics", path, "--higher", "fake", *option]) == 2
    assert capsys.readouterr().out == ""


def test_missing_file_and_missing_column_are_refused(tmp_path, capsys):
    assert main(["metrics", str(tmp_path / "none.csv"), "--higher", "fake"]) == 2
    path = write(tmp_path / "s.csv", [("a", "real")], "id,label")
    assert main(["metrics", path, "--higher", "fake"]) == 2
    assert "want one column 'score'" in capsys.readouterr().err


def test_reversed_direction_of_one_speaker_is_flagged_without_an_interval(tmp_path, capsys):
    rows = [("a", "real", 1, "s"), ("b", "fake", 0, "s")]
    path = write(tmp_path / "s.csv", rows, "id,label,score,speaker")
    assert main(["metrics", path, "--higher", "fake", "--groups", "speaker"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["intervals"]["auc"] is None
    assert figures["looks_reversed"] is True


@pytest.mark.parametrize("kind", ["list", "csv", "parquet"])
def test_ids_of_a_reference_must_all_be_there_and_no_others(tmp_path, capsys, trials, kind):
    rows = rows_of(trials)
    header = "id,label,score,speaker"
    reference = tmp_path / f"reference.{kind.replace('list', 'csv')}"
    if kind == "list":
        reference.write_text("id\n" + "\n".join(row[0] for row in rows) + "\n")
    else:
        clips = [ManifestRow(id=row[0], path=f"{row[0]}.wav", label=row[1]) for row in rows]
        write_manifest(reference, clips)
    options = ["--higher", "fake", "--draws", "5", "--ids", str(reference)]
    assert main(["metrics", write(tmp_path / "whole.csv", rows[::-1], header), *options]) == 0
    assert main(["metrics", write(tmp_path / "less.csv", rows[1:], header), *options]) == 2
    more = [*rows, ("stranger", "real", 0.0, "s")]
    assert main(["metrics", write(tmp_path / "more.csv", more, header), *options]) == 2
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 1
    assert "1 ids of" in shown.err
    assert "such as 'u0'" in shown.err
    assert "such as 'stranger'" in shown.err


def test_faults_of_a_score_file_are_scores_errors(tmp_path):
    path = tmp_path / "s.csv"
    write(path, [("a", "real", 1), ("a", "fake", 2)])
    with pytest.raises(ScoresError):
        read_score_file(path, higher="fake")


def test_direction_must_be_said(tmp_path, capsys, trials):
    path = write(tmp_path / "s.csv", rows_of(trials), "id,label,score,speaker")
    assert main(["metrics", path]) == 2
    assert "--higher" in capsys.readouterr().err


def test_reversed_direction_is_flagged_and_the_figure_not_mended(tmp_path, capsys, trials):
    path = write(tmp_path / "s.csv", rows_of(trials), "id,label,score,speaker")
    assert main(["metrics", path, "--higher", "bonafide", "--draws", "100"]) == 0
    shown = capsys.readouterr()
    assert "reversed" in shown.err
    figures = json.loads(shown.out)
    assert figures["auc"] < 0.5
    assert figures["looks_reversed"] is True


def test_chance_is_not_called_reversed(tmp_path, capsys):
    rng = np.random.default_rng(3)
    rows = [(n, ("real", "fake")[n % 2], rng.normal()) for n in range(40)]
    path = write(tmp_path / "s.csv", rows)
    main(["metrics", path, "--higher", "fake", "--draws", "200"])
    shown = capsys.readouterr()
    figures = json.loads(shown.out)
    low, high = figures["intervals"]["auc"]
    assert low < 0.5 < high
    assert figures["looks_reversed"] is False
    assert "reversed" not in shown.err
