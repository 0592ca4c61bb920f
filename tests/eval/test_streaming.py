"""The commands that measure live calls."""

from __future__ import annotations

import pytest

from avdetect.detector import Detector
from avdetect.types import Decision
from eval.__main__ import main
from eval.streaming.agreement import AGREED_LLR, AgreementTrial, agreement_text, agreement_trials
from eval.streaming.load import LoadResult, load_text
from eval.streaming.telephone import ulaw_of
from tests.paths import SAMPLES


def trial(streamed: float | None, scanned: float | None) -> AgreementTrial:
    return AgreementTrial(
        codec="ulaw",
        streamed=streamed,
        scanned=scanned,
        decision=Decision.FAKE,
        first_speech_s=2.1,
        stopped_speech_s=9.0,
        stopped_decision=Decision.FAKE,
    )


def test_a_call_that_only_one_of_the_two_judged_is_far_apart():
    assert trial(None, 1.0).apart == float("inf")
    assert trial(None, None).apart is None
    text = agreement_text([trial(1.0, 1.5), trial(1.0, 1.1), trial(None, None)])
    assert "| ulaw | 3 | 2 | 0.500000 | 1 |" in text
    assert "in 3 of 3 calls, after 9.0 s of speech" in text


def test_calls_are_held_while_judgements_come_before_the_next():
    in_time = LoadResult(4, late_s=[0.1] * 99 + [5.0], age_s=[0.9] * 100, cpu_s=0.05)
    too_late = LoadResult(8, late_s=[2.0] * 10, age_s=[3.0] * 10, cpu_s=0.05)
    *_, first, second = load_text([in_time, too_late]).splitlines()
    assert first == "| 4 | 100 | 100 ms | 100 ms | 900 ms | 900 ms | 5.0% | yes |"
    assert second.endswith("| no |")


def test_a_clip_becomes_telephone_sound():
    assert len(ulaw_of(SAMPLES / "call_synthetic.wav")) == pytest.approx(13.135 * 8_000, abs=8)


@pytest.mark.slow
def test_streamed_and_scanned_sound_agree_through_codecs():
    paths = [SAMPLES / "call_synthetic.wav", SAMPLES / "portrait_forged.mp4"]
    trials = list(agreement_trials(Detector.load(device="cpu"), paths, ["ulaw", "opus_12"]))
    assert len(trials) == 4
    assert all(t.apart is not None and t.apart <= AGREED_LLR for t in trials)


@pytest.mark.slow
def test_the_bench_prints_a_row_for_each_number_of_calls(capsys):
    assert main(["stream-bench", "--calls", "1,2", "--seconds", "10", "--device", "cpu"]) == 0
    rows = capsys.readouterr().out.splitlines()[-2:]
    assert [row.split("|")[1].strip() for row in rows] == ["1", "2"]
