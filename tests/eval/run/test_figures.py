"""Figures of answers and peers on known scores."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from eval.answers import ANSWERS, PICTURE, SOUND
from eval.errors import ScoresError
from eval.metrics import OperatingPoint
from eval.peers import Peer
from eval.protocol import Protocol
from eval.run.contenders import Contender, peer_contenders, procedure_contenders
from eval.run.figures import BANK_LLR, part_figures, pooled_thresholds, whole_figures
from eval.run.levels import auc_change, level_figures
from eval.run.population import Population, population_figures, reversed_directions
from tests.eval.run.known import known_llrs, voice_rows

POINT = OperatingPoint()
PROTOCOL = Protocol(
    name="small", title="", answers=("voice_clone",), conditions=("generator", "language")
)


def contender(llrs, *, name="voice_clone", question=SOUND, is_llr=True, **more) -> Contender:
    scores = {f"pool/{key}.wav": llr for key, llr in llrs.items() if llr is not None}
    return Contender(
        name=name, kind="weights", question=question, scores=scores, is_llr=is_llr, **more
    )


def test_abstentions_lower_coverage_and_count_as_zero_once():
    perfect = {str(n): (-1.0, 1.0)[n % 2] for n in range(20)} | dict.fromkeys("13579")
    figures = whole_figures(contender(perfect), voice_rows(), POINT, n_draws=20)
    assert (figures["coverage"], figures["coverage_real"], figures["coverage_fake"]) == (
        0.75,
        1.0,
        0.5,
    )
    assert figures["auc"] == 1.0
    assert figures["auc_abstained_as_0"] == 1.0  # an unjudged fake at 0 still outranks real at -1
    pessimist = {key: llr and llr + 2.0 for key, llr in perfect.items()}
    figures = whole_figures(contender(pessimist), voice_rows(), POINT, n_draws=20)
    assert figures["auc_abstained_as_0"] == 0.5  # below every real clip at +1
    assert figures["n_real"] == figures["n_fake"] == 10


def test_operating_points_are_named_by_where_their_threshold_comes_from():
    llrs = {str(n): (-5.0, 5.0)[n % 2] for n in range(20)} | {"0": 1.0}
    at = whole_figures(contender(llrs), voice_rows(), POINT, n_draws=5)["operating_points"]
    assert at["bank"] == {
        "threshold": BANK_LLR, "false_alarms": 0.0, "detected": 1.0, "cost": 0.0
    }  # fmt: skip
    assert at["bayes"]["threshold"] == pytest.approx(math.log(0.95 / 0.5))
    assert (at["bayes"]["false_alarms"], at["bayes"]["detected"]) == (0.1, 1.0)
    assert at["bayes"]["cost"] == pytest.approx(0.1 * 0.95 / 0.5)
    assert at["one_percent"]["false_alarms"] == 0.0
    raw = contender(llrs, is_llr=False)
    assert "bank" not in whole_figures(raw, voice_rows(), POINT, n_draws=5)["operating_points"]


def test_a_part_is_measured_at_the_threshold_of_the_whole():
    rows = voice_rows()
    shifted = {str(n): (-1.0, 1.0)[n % 2] + (4.0 if n >= 10 else 0.0) for n in range(20)}
    ours = contender(shifted)
    thresholds = pooled_thresholds(ours, rows)
    easy = part_figures(ours, rows[:10], thresholds, POINT, n_draws=5)
    assert easy["eer"] == 0.0  # by itself
    assert easy["at"]["one_percent"]["detected"] == 0.0  # at the pooled threshold of the others
    assert easy["at"]["equal_error"]["false_alarms"] == 0.0


def test_a_voice_forged_under_a_true_picture_is_real_to_the_picture():
    dubbed = [replace(row, video_label="real") for row in voice_rows()]
    sound = whole_figures(contender(known_llrs()), dubbed, POINT, n_draws=5)
    picture = whole_figures(contender(known_llrs(), question=PICTURE), dubbed, POINT, n_draws=5)
    assert (sound["n_real"], sound["n_fake"]) == (10, 10)
    assert (picture["n_real"], picture["n_fake"], picture["auc"]) == (20, 0, None)
    assert not contender({}, question=ANSWERS["lip_sync"]).entering(voice_rows())
    assert len(contender({}, question=ANSWERS["lip_sync"]).entering(dubbed)) == 20


def test_unknown_truth_does_not_enter():
    rows = [replace(row, audio_label="") for row in voice_rows()[:6]] + voice_rows()[6:]
    figures = whole_figures(contender(known_llrs()), rows, POINT, n_draws=5)
    assert figures["n_real"] + figures["n_fake"] == 14


def test_fakes_of_one_voice_carry_no_interval():
    rows = [replace(r, speaker="robot") if r.label == "fake" else r for r in voice_rows()]
    figures = whole_figures(contender(known_llrs()), rows, POINT, n_draws=20)
    assert figures["auc"] is not None
    assert set(figures["intervals"].values()) == {None}


def test_reversed_scores_of_ours_and_of_a_peer_are_flagged():
    llrs = {str(n): (1.0, -1.0)[n % 2] + 0.01 * n for n in range(20)}
    scores = {f"pool/{key}.wav": llr for key, llr in llrs.items()}
    peers = peer_contenders([Peer(name="Backwards", kind="audio", scores=scores)])
    population = Population(title="t", rows=voice_rows(), contenders=[contender(llrs), *peers])
    figures = population_figures(population, PROTOCOL, {}, n_draws=50)
    warnings = reversed_directions([figures])
    assert [warning.split(":")[0] for warning in warnings] == ["voice_clone", "Backwards"]
    right = Population(title="t", rows=voice_rows(), contenders=[contender(known_llrs())])
    assert not reversed_directions([population_figures(right, PROTOCOL, {}, n_draws=50)])


def test_fakes_of_a_generator_stand_against_every_real_clip_and_languages_against_their_own():
    population = Population(title="t", rows=voice_rows(), contenders=[contender(known_llrs())])
    figures = population_figures(population, PROTOCOL, {}, n_draws=20)
    json.dumps(figures, allow_nan=False)
    parts = figures["questions"][0]["parts"]
    bark = parts["generator"]["Bark"]["voice_clone"]
    assert (bark["n_real"], bark["n_fake"]) == (10, 5)
    german = parts["language"]["de"]["voice_clone"]
    assert (german["n_real"], german["n_fake"]) == (4, 4)
    assert set(parts["duration"]) == {"2 to 4 s", "4 to 10 s"}
    assert parts["duration"]["2 to 4 s"]["voice_clone"]["n_real"] == 5


def test_a_condition_that_parts_nothing_anew_is_left_out():
    rows = [replace(row, kind=row.generator) for row in voice_rows()]
    protocol = replace(PROTOCOL, conditions=("generator", "kind", "codec"))
    population = Population(title="t", rows=rows, contenders=[contender(known_llrs())])
    parts = population_figures(population, protocol, {}, n_draws=5)["questions"][0]["parts"]
    assert set(parts) == {"generator", "duration"}


def test_out_of_fold_scores_join_by_id_and_an_empty_one_abstains(tmp_path):
    path = tmp_path / "out_of_fold.csv"
    head = "procedure,id,fold,score,fake_llr,commit,config_sha256\n"
    path.write_text(head + "p,pool/1.wav,a,1,1.5,c,h\np,pool/0.wav,somebody/0,,,c,h\n")
    rows = [replace(row, fold="a") for row in voice_rows()]
    (found,) = procedure_contenders(path, PROTOCOL, rows)
    assert found.scores == {"pool/1.wav": 1.5}
    assert [row.id for row in found.entering(voice_rows())] == ["pool/0.wav", "pool/1.wav"]
    assert procedure_contenders(tmp_path / "none.csv", PROTOCOL, rows) == []
    for line, words in (
        ("p,stranger,a,1,1.0,c,h\n", "not in the manifest"),
        ("p,pool/1.wav,b,1,1.0,c,h\n", "with 'b', now in fold 'a'"),
        ("p,pool/1.wav,a,1,1.0,c,h\n" * 2, "twice"),
        ("p,pool/1.wav,a,1,much,c,h\n", "not a number"),
        ("p,pool/1.wav,a\n", "not a number"),
    ):
        path.write_text(head + line)
        with pytest.raises(ScoresError, match=words):
            procedure_contenders(path, PROTOCOL, rows)


def test_the_change_at_a_level_is_paired_and_its_abstentions_are_coverage():
    clean, noisy = known_llrs(), {key: -llr for key, llr in known_llrs().items()} | {"3": None}
    by_level = {"clean": contender(clean), "noise": contender(noisy)}
    table = level_figures(by_level, voice_rows(), {}, POINT, n_draws=50)
    assert table["clean"]["change"] is None
    assert table["noise"]["coverage"] == 0.95
    change = table["noise"]["change"]
    assert change["n_both"] == 19
    assert change["interval"][0] <= change["auc"] < 0.0
    same = auc_change(contender(clean), contender(clean), voice_rows(), n_draws=50)
    assert (same["auc"], same["interval"]) == (0.0, (0.0, 0.0))
