"""``python -m eval run`` end to end: the real detector on real files, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from avdetect.errors import OutputError, UsageError
from avdetect.verdict import Input
from eval.__main__ import main
from eval.errors import LeakError, ScoresError
from eval.run.command import Options, print_tables, run
from eval.run.scan import SCORES, SEGMENTS
from eval.run.store import CLEAN, read_scores, write_scores
from tests import synth
from tests.eval.run.known import verdict, voice_row, voice_rows, write_protocol


class LoudnessDetector:
    """Hears the file: louder is more fake; what it cannot read has no LLR."""

    device = "ear"

    def __init__(self):
        self.asked = 0

    def scan_many(self, paths):
        for path in paths:
            self.asked += 1
            yield verdict(path, _loudness(path)).model_copy(update={"input": Input(path=path)})


def _loudness(path: str) -> float | None:
    try:
        with av.open(path) as container:
            heard = np.concatenate([f.to_ndarray().ravel() for f in container.decode(audio=0)])
    except (av.FFmpegError, OSError):
        return None
    scale = 32768.0 if heard.dtype == np.int16 else 1.0
    return float(3.0 + np.log(np.sqrt(np.mean((heard / scale) ** 2)) + 1e-9))


def write_loud_fakes(folder: Path, rows) -> None:
    for row in rows:
        samples = synth.speech_like(0.5, seed=len(row.id)) * (0.9 if row.label == "fake" else 0.03)
        synth.encode(folder / row.path, sound=synth.Sound(samples=samples, codec="pcm_s16le"))


def options(folder: Path, **changes) -> Options:
    known = {
        "protocol": str(folder / "small.toml"),
        "data": folder,
        "out": folder / "out",
        "draws": 50,
    }
    return Options(**known | changes)


@pytest.fixture
def small(tmp_path):
    rows = voice_rows(16)
    write_loud_fakes(tmp_path, rows)
    write_protocol(tmp_path, rows)
    return tmp_path


def test_the_real_detector_over_real_files(tmp_path, capsys):
    rows = [
        *(voice_row(number, path=f"{number}.m4a") for number in range(4)),
        voice_row(4, path="corrupt.wav"),
        voice_row(5, path="absent.wav"),
    ]
    for row in rows[:4]:
        sound = synth.Sound(samples=synth.speech_like(3.0, seed=int(Path(row.path).stem)))
        synth.encode(tmp_path / row.path, sound=sound)
    (tmp_path / "corrupt.wav").write_bytes(b"RIFF no sound")
    protocol = write_protocol(tmp_path, rows)
    arguments = ["run", str(protocol), "--data", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    folder = tmp_path / "out" / "small"
    found = read_scores(folder / SCORES)
    assert len(found) == 6
    assert "unreadable_media" in found["pool/4.wav", CLEAN].missing
    assert "not_found" in found["pool/5.wav", CLEAN].missing
    record = json.loads((folder / "results.json").read_text())
    assert record["complete"] and record["n_clips"] == 6
    assert record["device"] == "cpu"
    assert list(record["model"]["checkpoints"]) == ["voice_clone"]  # no other has a say on sound
    assert record["protocol_sha256"] and record["manifest_sha256"] and record["versions"]["torch"]
    figures = record["populations"][0]["questions"]
    judged = sum(row.voice_clone is not None for row in found.values())
    if judged:  # too little speech is an answer, too
        assert figures[0]["contenders"]["voice_clone"]["coverage"] == pytest.approx(judged / 6)
    printed = capsys.readouterr().out
    assert "6 of 6 clips scored" in printed
    before = (folder / SCORES).stat().st_mtime_ns, (folder / SCORES).read_bytes()
    assert main([*arguments, "--print"]) == 0
    assert capsys.readouterr().out == printed
    assert ((folder / SCORES).stat().st_mtime_ns, (folder / SCORES).read_bytes()) == before


def test_a_run_writes_scores_segments_record_and_plots(small):
    text = run(options(small), LoudnessDetector())
    folder = small / "out" / "small"
    assert {path.name for path in folder.iterdir()} == {
        SCORES, SEGMENTS, "results.json", "plots"
    }  # fmt: skip
    assert len(list((folder / "plots").glob("voice_clone_*.svg"))) == 4
    record = json.loads((folder / "results.json").read_text())
    ours = record["populations"][0]["questions"][0]["contenders"]["voice_clone"]
    assert ours["auc"] == 1.0
    assert record["device"] == "ear"
    assert "| voice_clone | 8 | 8 | 100.0 %" in text
    assert "INCOMPLETE" not in text
    assert "By generator" in text


def test_a_second_run_scans_nothing_and_prints_the_same(small):
    first = run(options(small), LoudnessDetector())
    record = (small / "out/small/results.json").read_bytes()
    again = LoudnessDetector()
    assert run(options(small), again) == first
    assert again.asked == 0
    assert (small / "out/small/results.json").read_bytes() == record


def test_a_limited_run_is_marked_and_a_missing_id_refused(small):
    assert "(INCOMPLETE)" in run(options(small, limit=8), LoudnessDetector())
    with pytest.raises(ScoresError, match="lacks 8 scores of 16"):
        print_tables(options(small))
    assert "(INCOMPLETE)" in print_tables(options(small, partial=True))
    assert "(INCOMPLETE)" in print_tables(options(small, limit=8))


def test_a_score_file_with_a_missing_or_a_strange_id_is_refused(small):
    run(options(small), LoudnessDetector())
    path = small / "out/small" / SCORES
    rows = list(read_scores(path).values())
    write_scores(path, rows[1:])
    with pytest.raises(ScoresError, match=f"such as '{rows[0].id}'"):
        print_tables(options(small))
    write_scores(path, [*rows, replace(rows[0], id="pool/stranger.wav")])
    with pytest.raises(ScoresError, match="stranger"):
        print_tables(options(small))


def test_a_leaking_manifest_is_refused_before_anything_is_scored(tmp_path):
    rows = [*voice_rows(8), voice_row(9, split="train", speaker="speaker0")]
    write_loud_fakes(tmp_path, rows)
    write_protocol(tmp_path, rows)
    scanner = LoudnessDetector()
    with pytest.raises(LeakError, match="speaker0"):
        run(options(tmp_path), scanner)
    assert scanner.asked == 0
    assert not (tmp_path / "out").exists()


def test_reversed_scores_are_flagged(small, capsys):
    rows = [
        replace(row, label=other, audio_label=other, generator=maker, fake_segments=None, kind="")
        for row in voice_rows(16)
        for other, maker in [("real", "") if row.label == "fake" else ("fake", "Vocos")]
    ]
    write_protocol(small, rows)
    text = run(options(small), LoudnessDetector())
    assert "**Warning:** voice_clone: AUC 0.000" in text
    assert "the direction looks reversed" in capsys.readouterr().err
    record = json.loads((small / "out/small/results.json").read_text())
    assert record["populations"][0]["questions"][0]["contenders"]["voice_clone"]["looks_reversed"]


def test_another_models_scores_are_refused_unless_fresh(small):
    run(options(small), LoudnessDetector())
    path = small / "out/small" / SCORES
    write_scores(path, [replace(r, model="0ther") for r in read_scores(path).values()])
    with pytest.raises(ScoresError, match="another model"):
        run(options(small), LoudnessDetector())
    run(options(small, fresh=True), LoudnessDetector())


def test_figures_never_stand_under_another_models_name(small):
    run(options(small), LoudnessDetector())
    path = small / "out/small" / SCORES
    record = small / "out/small/results.json"
    facts = json.loads(record.read_text())
    stale = facts | {"model": facts["model"] | {"fingerprint": "0ther"}}
    record.write_text(json.dumps(stale))  # as an interrupted run of new weights leaves it
    run(options(small), LoudnessDetector())
    assert json.loads(record.read_text())["model"] == facts["model"]
    record.unlink()
    write_scores(path, [replace(r, model="0ther") for r in read_scores(path).values()])
    with pytest.raises(ScoresError, match="scored by model 0ther"):
        print_tables(options(small))


def test_a_users_peer_stands_in_every_table(small):
    peer = small / "Oracle.csv"
    lines = [f"{r.id},{float(r.label == 'real')},bonafide" for r in voice_rows(16)]
    peer.write_text("id,score,direction\n" + "\n".join(lines) + "\n")
    protocol = small / "small.toml"
    protocol.write_text(protocol.read_text() + 'peers = "audio"\n')
    text = run(options(small, peers=(peer,)), LoudnessDetector())
    assert "| Oracle (peer) | 8 | 8 |" in text
    assert text.count("| voice_clone | Oracle |") == text.count("\nBy ")


def test_degraded_levels_stand_beside_clean(small):
    names = "gain_-20db,white_20db"
    text = run(options(small, levels=names), LoudnessDetector())
    found = read_scores(small / "out/small" / SCORES)
    assert {level for _, level in found} == {CLEAN, "gain_-20db", "white_20db"}
    clip = voice_rows(16)[1].id
    drop = found[clip, CLEAN].fake_llr - found[clip, "gain_-20db"].fake_llr
    assert drop == pytest.approx(np.log(10.0), abs=0.02)
    levels = json.loads((small / "out/small/results.json").read_text())["levels"]["voice_clone"]
    assert list(levels) == [CLEAN, "white_20db", "gain_-20db"]
    assert levels["white_20db"]["severity"] == "field"
    assert "change from clean" in text
    assert run(options(small), LoudnessDetector()) == text  # what was measured stays in the record


def test_out_of_fold_scores_make_the_second_line(small):
    protocol = small / "small.toml"
    sources = sorted({row.source for row in voice_rows(16)})
    protocol.write_text(
        protocol.read_text()
        + '[sets]\nall = ["one", "two"]\n[roles]\ntrain = ["one"]\ntest = ["two"]\n'
        + f"[folds]\none = {sources[:1]}\ntwo = {sources[1:]}\n"
    )
    folder = small / "out" / "small"
    folder.mkdir(parents=True)
    lines = [f"all,{r.id},{r.source},0,{1.0 + r.label.index('e')},c,h\n" for r in voice_rows(16)]
    head = "procedure,id,fold,score,fake_llr,commit,config_sha256\n"
    (folder / "out_of_fold.csv").write_text(head + "".join(lines))
    text = run(options(small), LoudnessDetector())
    assert "## This weight file, on data it never saw: 8 clips" in text
    assert "## Procedure, cross-validated: all: 16 clips" in text
    record = json.loads((folder / "results.json").read_text())
    assert len(record["out_of_fold_sha256"]) == 64
    first = record["populations"][0]["questions"][0]["contenders"]
    assert list(first) == ["voice_clone", "cross-validated: all"]
    assert (folder / "plots" / "cross-validated_all_det.svg").is_file()


def test_an_edited_manifest_is_another_run(small):
    run(options(small), LoudnessDetector())
    rows = voice_rows(16)
    write_protocol(small, [replace(rows[0], language="fr"), *rows[1:]])
    run(options(small), LoudnessDetector())  # the same media: only tables change
    write_protocol(small, [replace(rows[0], path=rows[2].path), *rows[1:]])
    again = LoudnessDetector()
    with pytest.raises(ScoresError, match="another protocol or manifest"):
        run(options(small), again)
    assert again.asked == 0
    with pytest.raises(ScoresError, match="another protocol or manifest"):
        print_tables(options(small))


def test_a_peer_may_not_take_our_name_and_one_of_other_clips_is_told(small, capsys):
    run(options(small), LoudnessDetector())
    ours, other = small / "audio_voice_clone.csv", small / "audio_Elsewhere.csv"
    for path in (ours, other):
        path.write_text("id,score,direction\nnowhere.wav,1.0,fake\n")
    with pytest.raises(ScoresError, match="'voice_clone'"):
        print_tables(options(small, peers=(ours,)))
    with pytest.raises(ScoresError, match="'Elsewhere'"):
        print_tables(options(small, peers=(other, other)))
    print_tables(options(small, peers=(other,)))
    assert "warning: Elsewhere: scores no id of the manifest" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_broken_record_is_refused(small, text):
    run(options(small), LoudnessDetector())
    (small / "out/small/results.json").write_text(text)
    with pytest.raises(ScoresError, match=r"results\.json: is not the record of a run"):
        print_tables(options(small))


def test_broken_score_files_are_refused(small):
    run(options(small), LoudnessDetector())
    path = small / "out/small" / SCORES
    text = path.read_text()
    row = text.splitlines()[1]
    figure = row.split(",")[3]
    for broken, words in (
        (text.replace(figure, "nan", 1), "not a finite number"),
        (text.replace(row, f"{row},more", 1), "not as many fields"),
        (f"{text}half,clean\n", "not as many fields"),
        ("\xff", "not UTF-8"),
    ):
        path.write_bytes(broken.encode("latin-1"))
        with pytest.raises(ScoresError, match=words):
            print_tables(options(small))
    path.write_text(f"\ufeff{text}")  # as a spreadsheet saves it
    print_tables(options(small))


def test_old_rows_outlive_a_fresh_run_that_cannot_start(small):
    run(options(small), LoudnessDetector())
    before = (small / "out/small" / SCORES).read_bytes()
    with pytest.raises(UsageError, match="device"):
        run(options(small, fresh=True, device="abacus"))
    scanner = LoudnessDetector()
    with pytest.raises(ScoresError, match="cannot be read"):
        run(options(small, fresh=True, peers=(small / "none.csv",)), scanner)
    assert scanner.asked == 0
    assert (small / "out/small" / SCORES).read_bytes() == before


def test_results_below_a_file_are_refused(small):
    with pytest.raises(OutputError, match="cannot be written"):
        run(options(small, out=small / "small.toml"), LoudnessDetector())


def test_an_answer_that_judged_nothing_stands_with_its_coverage(small):
    rows = [replace(row, video_label=row.label) for row in voice_rows(16)]
    protocol = write_protocol(small, rows)
    protocol.write_text(
        protocol.read_text().replace('["voice_clone"]', '["voice_clone", "lip_sync"]')
    )
    text = run(options(small), LoudnessDetector())
    assert "| lip_sync | 8 | 8 | 0.0 % (0.0 % / 0.0 %) |" in text


@pytest.mark.parametrize("text", ["", "procedure,id\np,b\n", "\xff"])
def test_a_broken_out_of_fold_file_is_refused(small, text):
    run(options(small), LoudnessDetector())
    (small / "out/small/out_of_fold.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(ScoresError, match=r"out_of_fold\.csv.*write it"):
        print_tables(options(small))


@pytest.mark.parametrize("pictures", [False, True])
def test_scores_of_sound_belong_to_the_weights_that_hear(small, pictures):
    if pictures:
        write_protocol(small, [replace(row, video_label=row.label) for row in voice_rows(16)])
    run(options(small), LoudnessDetector())
    model = json.loads((small / "out/small/results.json").read_text())["model"]
    assert ("visual_forgery" in model["checkpoints"]) == pictures
    assert "voice_clone" in model["checkpoints"]
