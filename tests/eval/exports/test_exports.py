"""Official formats: direction turned once, every id there, the official reader's order."""

from __future__ import annotations

import json

import pytest

from eval.__main__ import main
from eval.run.scan import SCORES, SEGMENTS
from eval.run.store import CLEAN, RunLabels, score_row, write_scores
from eval.run.stretches import locate, write_located
from tests.eval.run.known import verdict

LABELS = RunLabels(model="m", commit="c", protocol="p")
LLRS = {"eval/E_1.flac": 2.0, "eval/E_2.flac": -1.5, "eval/E_3.flac": None}


@pytest.fixture
def scores(tmp_path):
    verdicts = {name: verdict(name, llr) for name, llr in LLRS.items()}
    rows = [score_row(name, CLEAN, found, LABELS) for name, found in verdicts.items()]
    rows.append(score_row("eval/E_1.flac", "ulaw", verdicts["eval/E_2.flac"], LABELS))
    write_scores(tmp_path / SCORES, rows)
    located = [locate(name, CLEAN, found) for name, found in verdicts.items()]
    write_located(tmp_path / SEGMENTS, {found.key: found for found in located})
    return tmp_path / SCORES


def exported(form: str, scores) -> str:
    out = scores.with_name("submission")
    assert main(["export", form, str(scores), "--out", str(out)]) == 0
    return out.read_text()


def test_asvspoof5_is_a_table_with_a_header_where_higher_is_bona_fide(scores, capsys):
    assert exported("asvspoof5", scores) == (
        "filename\tcm-score\nE_1\t-2.000000\nE_2\t1.500000\nE_3\t0.000000\n"
    )
    assert "1 of 3 clips were not judged by voice_clone" in capsys.readouterr().err


def test_asvspoof2021_is_one_utterance_and_score_a_line(scores):
    assert exported("asvspoof2021", scores).splitlines() == [
        "E_1 -2.000000",
        "E_2 1.500000",
        "E_3 0.000000",
    ]


def test_avdeepfake1m_scores_are_probabilities_of_fake(scores):
    assert exported("avdeepfake1m", scores).splitlines() == [
        "eval/E_1.flac;0.880797",
        "eval/E_2.flac;0.182426",
        "eval/E_3.flac;0.500000",
    ]


def test_avdeepfake1m_proposals_are_listed_surest_first_and_none_is_absent(scores):
    found = json.loads(exported("avdeepfake1m-segments", scores))
    assert found == {
        "eval/E_1.flac": [[0.880797, 0.0, 4.0]],
        "eval/E_2.flac": [[0.0, 0.0, 0.0]],
        "eval/E_3.flac": [[0.0, 0.0, 0.0]],
    }


def test_refusals_name_the_cure(scores, tmp_path, capsys):
    out = ["--out", str(tmp_path / "x")]
    assert main(["export", "asvspoof5", str(scores), *out, "--answer", "gut"]) == 2
    assert "no answer 'gut'" in capsys.readouterr().err
    (tmp_path / SEGMENTS).unlink()
    assert main(["export", "avdeepfake1m-segments", str(scores), *out]) == 2
    twins = [
        score_row(name, CLEAN, verdict(name, 1.0), LABELS) for name in ("a/E_1.wav", "b/E_1.wav")
    ]
    write_scores(scores, twins)
    assert main(["export", "asvspoof5", str(scores), *out]) == 2
    write_scores(scores, [score_row("E 1;a.wav", CLEAN, verdict("E", 1.0), LABELS)])
    for form in ("asvspoof2021", "avdeepfake1m"):
        assert main(["export", form, str(scores), *out]) == 2
        assert "'E 1;a" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
