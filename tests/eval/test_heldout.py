"""The held-out runner over real files, with a detector whose answers are known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import av
import pytest

from avdetect.errors import AvdetectError, UsageError
from avdetect.types import Decision
from avdetect.verdict import BranchVerdict, Failure, Input, Modalities, Verdict
from eval.heldout import RunLabels, run_heldout
from eval.heldout_figures import VIEWS, all_figures, view_figures
from eval.heldout_file import append_rows, read_heldout
from eval.heldout_rows import HeldoutClip, as_files, heldout_clips
from eval.heldout_tables import tables
from eval.peers import read_peer, read_peers
from tests.eval.test_mux import write_flashes, write_onset
from tests.shared import requires_shared

LABELS = RunLabels(model="feedc0de", commit="abc")
FUSED, VOICE, PICTURE = VIEWS[:3]


class KnownDetector:
    """Answers by table; counts what it was asked."""

    def __init__(self, llrs: dict[str, float | None], *, fail_after: int | None = None):
        self.llrs, self.asked, self.fail_after = llrs, [], fail_after

    def scan_many(self, paths):
        for path in paths:
            if self.fail_after is not None and len(self.asked) == self.fail_after:
                raise KeyboardInterrupt
            self.asked.append(path)
            yield verdict(path, self.llrs[Path(path).stem])


def verdict(path: str, llr: float | None) -> Verdict:
    if llr is None:
        return Verdict(
            input=Input(path=path),
            decision=Decision.INCONCLUSIVE,
            prior_fake=0.5,
            missing={"voice_clone": "no speech:\n0.0 s"},
            error=Failure(code="unreadable_media", message="no sound"),
        )
    return Verdict(
        input=Input(path=path),
        decision=Decision.FAKE if llr > 0 else Decision.REAL,
        fake_llr=llr,
        fake_probability=0.5,
        prior_fake=0.5,
        branches={"voice_clone": BranchVerdict(fake_llr=llr)},
        modalities=Modalities(audio_fake=llr),
    )


def voice_clips(folder: Path, n: int) -> list[HeldoutClip]:
    return [
        HeldoutClip(
            id=f"pool/{number}.wav",
            label=("real", "fake")[number % 2],
            audio_label=("real", "fake")[number % 2],
            video_label="",
            group=f"speaker{number // 4}",
            generator="Vocos" if number % 2 else "",
            kind="vocoder" if number % 2 else "",
            source="somebody/somewhere",
            files=(folder / f"{number}.wav",),
        )
        for number in range(n)
    ]


@pytest.fixture
def clips(tmp_path):
    return voice_clips(tmp_path, 20)


@pytest.fixture
def llrs():
    return {str(number): (-1.0, 1.0)[number % 2] + 0.1 * number for number in range(20)}


def test_rows_hold_what_the_detector_said_joined_by_id(tmp_path, clips, llrs):
    path = tmp_path / "heldout.csv"
    rows = run_heldout(KnownDetector(llrs), clips, path, LABELS)
    by_id = {row.id: row for row in read_heldout(path)}
    assert len(rows) == len(by_id) == 20
    for clip in clips:
        assert by_id[clip.id].fake_llr == pytest.approx(llrs[Path(clip.id).stem])
        assert by_id[clip.id].audio_fake == by_id[clip.id].voice_clone == by_id[clip.id].fake_llr
        assert by_id[clip.id].visual_forgery is None
        assert (by_id[clip.id].label, by_id[clip.id].model) == (clip.label, LABELS.model)


def test_order_of_answers_does_not_matter(tmp_path, clips, llrs):
    class Shuffled(KnownDetector):
        def scan_many(self, paths):
            return reversed(list(super().scan_many(paths)))

    straight = run_heldout(KnownDetector(llrs), clips, tmp_path / "a.csv", LABELS)
    assert run_heldout(Shuffled(llrs), clips, tmp_path / "b.csv", LABELS) == straight


@pytest.mark.parametrize("jobs", [1, 3])
def test_interrupted_run_goes_on_where_it_stopped(tmp_path, clips, llrs, jobs):
    path = tmp_path / "heldout.csv"
    with pytest.raises(KeyboardInterrupt):
        run_heldout(KnownDetector(llrs, fail_after=11), clips, path, LABELS)
    kept = {row.id for row in read_heldout(path)}
    assert 0 < len(kept) < 20
    second = KnownDetector(llrs)
    rows = run_heldout(second, clips, path, LABELS, jobs=jobs)
    assert len(second.asked) == 20 - len(kept)
    assert rows == run_heldout(KnownDetector(llrs), clips, tmp_path / "whole.csv", LABELS)
    assert path.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_half_a_line_is_scanned_again(tmp_path, clips, llrs):
    path = tmp_path / "heldout.csv"
    run_heldout(KnownDetector(llrs), clips, path, LABELS)
    path.write_bytes(path.read_bytes()[:-20])
    again = KnownDetector(llrs)
    assert len(run_heldout(again, clips, path, LABELS)) == 20
    assert len(again.asked) == 1


def test_file_of_another_model_is_refused_unless_fresh(tmp_path, clips, llrs):
    path = tmp_path / "heldout.csv"
    run_heldout(KnownDetector(llrs), clips, path, LABELS)
    before = path.read_bytes()
    other = replace(LABELS, model="0ther")
    with pytest.raises(UsageError, match="another model"):
        run_heldout(KnownDetector(llrs), clips, path, other)
    assert path.read_bytes() == before
    rows = run_heldout(KnownDetector(llrs), clips, path, other, fresh=True)
    assert {row.model for row in rows} == {"0ther"}


def test_a_clip_left_out_or_a_foreign_answer_is_an_error(tmp_path, clips, llrs):
    class Forgetful(KnownDetector):
        def scan_many(self, paths):
            return list(super().scan_many(paths))[1:]

    class Confused(KnownDetector):
        def scan_many(self, paths):
            return [verdict("/elsewhere.wav", 1.0) for _ in paths]

    for scanner, words in ((Forgetful(llrs), "no verdict"), (Confused(llrs), "not asked for")):
        with pytest.raises(AvdetectError, match=words):
            run_heldout(scanner, clips, tmp_path / f"{words}.csv", LABELS)


def test_id_twice_in_a_results_file_is_refused(tmp_path, clips, llrs):
    path = tmp_path / "heldout.csv"
    rows = run_heldout(KnownDetector(llrs), clips, path, LABELS)
    append_rows(path, rows[:1])
    with pytest.raises(UsageError, match="twice"):
        read_heldout(path)


def test_abstentions_show_as_coverage(tmp_path, clips):
    perfect = {str(number): (-1.0, 1.0)[number % 2] for number in range(20)}
    perfect |= {str(number): None for number in (1, 3, 5, 7, 9)}
    rows = run_heldout(KnownDetector(perfect), clips, tmp_path / "heldout.csv", LABELS)
    figures = view_figures(FUSED, rows, n_draws=20)
    assert (figures["coverage"], figures["coverage_fake"]) == (0.75, 0.5)
    assert figures["auc"] == 1.0
    assert figures["auc_abstained_as_0"] == 1.0  # an unjudged fake at 0 still outranks real at -1
    assert (figures["false_alarms_at_llr_0"], figures["detected_at_llr_0"]) == (0.0, 1.0)
    silent = next(row for row in rows if row.fake_llr is None)
    assert silent.missing == "voice_clone: no speech: 0.0 s; unreadable_media: no sound"
    assert figures["n_real"] == figures["n_fake"] == 10


def test_voice_only_fake_is_real_to_the_picture(tmp_path, clips, llrs):
    dubbed = [replace(clip, video_label="real") for clip in clips]
    rows = run_heldout(KnownDetector(llrs), dubbed, tmp_path / "heldout.csv", LABELS)
    assert view_figures(VOICE, rows, n_draws=5)["n_fake"] == 10
    assert view_figures(PICTURE, rows, n_draws=5)["n_fake"] == 0
    assert view_figures(PICTURE, rows, n_draws=5)["n_real"] == 20


def test_unknown_voice_does_not_enter_the_voice_view(tmp_path, clips, llrs):
    unknown = [replace(clip, audio_label="") for clip in clips[:6]] + clips[6:]
    rows = run_heldout(KnownDetector(llrs), unknown, tmp_path / "heldout.csv", LABELS)
    figures = view_figures(VOICE, rows, n_draws=5)
    assert figures["n_real"] + figures["n_fake"] == 14
    assert view_figures(FUSED, rows, n_draws=5)["n_fake"] == 10


def test_fakes_of_one_voice_carry_no_interval(tmp_path, clips, llrs):
    one_voice = [
        replace(clip, group="robot" if clip.label == "fake" else clip.group) for clip in clips
    ]
    rows = run_heldout(KnownDetector(llrs), one_voice, tmp_path / "heldout.csv", LABELS)
    figures = all_figures(rows, [], n_draws=20)
    assert figures["views"]["fused"]["auc_interval"] is None
    assert "[" not in tables("voice-pool", figures).split("| Vocos |")[1].split("\n")[0]
    rows = run_heldout(KnownDetector(llrs), clips, tmp_path / "many.csv", LABELS)
    assert all_figures(rows, [], n_draws=20)["by_generator"]["Vocos"]["fused"]["auc_interval"]


def test_tables_show_bad_figures_and_incomplete_runs(tmp_path, clips, llrs):
    reversed_llrs = {key: -value for key, value in llrs.items()}
    rows = run_heldout(KnownDetector(reversed_llrs), clips[:10], tmp_path / "r.csv", LABELS)
    peer = tmp_path / "audio_Oracle.csv"
    lines = [f"{clip.id},{float(clip.label == 'real')},bonafide" for clip in clips]
    peer.write_text("id,score,direction\n" + "\n".join(lines) + "\n")
    figures = all_figures(rows, [read_peer(peer)], n_draws=20)
    text = tables("voice-pool", figures, n_expected=20)
    assert "INCOMPLETE" in text
    assert figures["views"]["fused"]["auc"] < 0.5
    assert figures["peers"]["Oracle"]["auc"] == 1.0
    assert "| Vocos | 5 |" in text
    json.dumps(figures, allow_nan=False)


def test_peer_file_of_another_form_is_refused(tmp_path):
    path = tmp_path / "audio_Odd.csv"
    path.write_text("id,score,direction\na,1.0,sideways\n")
    with pytest.raises(UsageError, match="sideways"):
        read_peer(path)


def test_two_files_reach_the_detector_as_one_that_is_gone_afterwards(tmp_path):
    files = (
        write_flashes(tmp_path / "fake_v.mp4", at_s=0.5),
        write_onset(tmp_path / "s.opus", at_s=0.5),
    )
    clip = replace(voice_clips(tmp_path, 1)[0], files=files)
    with as_files([clip]) as paths:
        (path,) = paths
        assert "fake" not in Path(path).name
        with av.open(path) as container:
            assert [stream.type for stream in container.streams] == ["video", "audio"]
    assert not Path(path).exists()


@requires_shared
@pytest.mark.parametrize("name", ["voice-pool", "voice-modern", "video"])
def test_held_out_sets_hold_both_classes_and_real_files(name):
    clips = heldout_clips(name)
    assert {clip.label for clip in clips} == {"real", "fake"}
    assert len({clip.id for clip in clips}) == len(clips)
    assert all(path.is_file() for clip in clips for path in clip.files)
    assert all(clip.group for clip in clips)
    few = heldout_clips(name, limit=10)
    assert len(few) == 10
    assert {clip.label for clip in few} == {"real", "fake"}


@requires_shared
def test_peers_cover_the_held_out_sets():
    peers = read_peers()
    for name, hears in (("voice-pool", True), ("voice-modern", True), ("video", False)):
        ids = {clip.id for clip in heldout_clips(name)}
        for peer in peers:
            if peer.hears == hears:
                assert len(ids & peer.scores.keys()) >= 0.9 * len(ids), peer.name


def test_unknown_set_is_refused():
    with pytest.raises(UsageError, match="voice-pool"):
        heldout_clips("everything")
