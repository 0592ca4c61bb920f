"""Scanning a protocol: every verdict kept, joined by id, resumed where it was cut."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from avdetect.errors import AvdetectError
from eval.errors import ScoresError
from eval.run.files import clean_file
from eval.run.scan import SCORES, SEGMENTS, Store, Task, scan, todo
from eval.run.store import CLEAN, RunLabels, append_scores, read_scores
from eval.run.stretches import read_located
from tests.eval.run.known import KnownDetector, known_llrs, verdict, voice_rows, write_tones

LABELS = RunLabels(model="feedc0de", commit="abc", protocol="0123")


def run(folder: Path, scanner, rows, *, labels=LABELS, fresh=False, jobs=1) -> Store:
    store = Store(folder / "out", labels)
    store.open([row.id for row in rows], fresh=fresh)

    def make(row, scratch):
        return clean_file(row, folder, scratch)

    tasks = todo(store, [Task(level=CLEAN, rows=rows, make=make)])
    scan(scanner, tasks, folder, store, jobs=jobs)
    return store


@pytest.fixture
def rows(tmp_path):
    rows = voice_rows()
    write_tones(tmp_path, rows)
    return rows


def test_scores_hold_what_the_detector_said_joined_by_id_and_no_truth(tmp_path, rows):
    llrs = known_llrs()
    run(tmp_path, KnownDetector(llrs), rows)
    found = read_scores(tmp_path / "out" / SCORES)
    assert len(found) == 20
    for row in rows:
        scored = found[row.id, CLEAN]
        assert scored.fake_llr == pytest.approx(llrs[Path(row.path).stem], abs=2e-6)
        assert scored.audio_fake == scored.voice_clone == scored.fake_llr
        assert scored.visual_forgery is None
    header = (tmp_path / "out" / SCORES).read_text().splitlines()[0].split(",")
    assert not {"label", "audio_label", "generator", "speaker"} & set(header)


def test_order_of_answers_does_not_matter(tmp_path, rows):
    class Shuffled(KnownDetector):
        def scan_many(self, paths):
            return reversed(list(super().scan_many(paths)))

    for name, scanner in (("a", KnownDetector), ("b", Shuffled)):
        (tmp_path / name).mkdir()
        write_tones(tmp_path / name, rows)
        run(tmp_path / name, scanner(known_llrs()), rows)
    for file in (SCORES, SEGMENTS):
        assert (tmp_path / "a/out" / file).read_bytes() == (tmp_path / "b/out" / file).read_bytes()


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_cut_run_goes_on_where_it_stopped(tmp_path, rows, jobs):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, KnownDetector(known_llrs(), fail_after=11), rows)
    kept = read_scores(tmp_path / "out" / SCORES)
    assert 0 < len(kept) < 20
    second = KnownDetector(known_llrs())
    run(tmp_path, second, rows, jobs=jobs)
    assert len(second.asked) == 20 - len(kept)
    resumed = (tmp_path / "out" / SCORES).read_bytes()
    run(tmp_path, KnownDetector(known_llrs()), rows, fresh=True)
    assert (tmp_path / "out" / SCORES).read_bytes() == resumed


def test_half_a_line_is_scanned_again(tmp_path, rows):
    run(tmp_path, KnownDetector(known_llrs()), rows)
    path = tmp_path / "out" / SCORES
    path.write_bytes(path.read_bytes()[:-20])
    again = KnownDetector(known_llrs())
    run(tmp_path, again, rows)
    assert len(again.asked) == 1
    assert len(read_scores(path)) == len(read_located(tmp_path / "out" / SEGMENTS)) == 20


@pytest.mark.parametrize("what", ["model", "protocol"])
def test_file_of_another_run_is_refused_unless_fresh(tmp_path, rows, what):
    run(tmp_path, KnownDetector(known_llrs()), rows)
    before = (tmp_path / "out" / SCORES).read_bytes()
    other = replace(LABELS, **{what: "0ther"})
    with pytest.raises(ScoresError, match=f"another {what}"):
        run(tmp_path, KnownDetector(known_llrs()), rows, labels=other)
    assert (tmp_path / "out" / SCORES).read_bytes() == before
    run(tmp_path, KnownDetector(known_llrs()), rows, labels=other, fresh=True)
    found = read_scores(tmp_path / "out" / SCORES)
    assert {getattr(row, what) for row in found.values()} == {"0ther"}


def test_an_id_the_manifest_does_not_hold_is_refused(tmp_path, rows):
    run(tmp_path, KnownDetector(known_llrs()), rows)
    with pytest.raises(ScoresError, match="not in the manifest"):
        run(tmp_path, KnownDetector(known_llrs()), rows[:-1])


def test_an_id_twice_is_refused(tmp_path, rows):
    store = run(tmp_path, KnownDetector(known_llrs()), rows)
    path = tmp_path / "out" / SCORES
    append_scores(path, [next(iter(store.rows.values()))])
    with pytest.raises(ScoresError, match="twice"):
        read_scores(path)


def test_a_clip_left_out_or_a_foreign_answer_is_an_error(tmp_path, rows):
    class Forgetful(KnownDetector):
        def scan_many(self, paths):
            return list(super().scan_many(paths))[1:]

    class Confused(KnownDetector):
        def scan_many(self, paths):
            return [verdict("/elsewhere.wav", 1.0) for _ in paths]

    for scanner, words in ((Forgetful, "no verdict"), (Confused, "not asked for")):
        with pytest.raises(AvdetectError, match=words):
            run(tmp_path, scanner(known_llrs()), rows, fresh=True)


def test_two_rows_of_one_file_are_both_judged(tmp_path, rows):
    twins = [rows[0], replace(rows[0], id="the same again")]

    class Anything(KnownDetector):
        def scan_many(self, paths):
            return [verdict(path, 1.0) for path in paths]

    store = run(tmp_path, Anything({}), twins)
    assert len(store.rows) == 2


def test_a_reason_with_a_line_break_stays_one_row(tmp_path, rows):
    store = run(tmp_path, KnownDetector(dict.fromkeys(known_llrs())), rows[:3])
    found = read_scores(tmp_path / "out" / SCORES)
    assert found.keys() == store.rows.keys()
    reason = found[rows[0].id, CLEAN].missing
    assert reason == "voice_clone: no speech: 0.0 s; unreadable_media: no sound"
