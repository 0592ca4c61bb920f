from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from avdetect.branches.voice_clone import VoiceCloneBranch
from avdetect.branches.voice_front_ends import build_voice_net, front_end
from avdetect.errors import UsageError
from avdetect.nn.redrawing_judge import RedrawingJudge
from avdetect.speech.redrawn import N_REDRAWN
from eval.errors import LeakError
from eval.manifest.row import ManifestRow
from eval.out_of_fold import OutOfFold, read_out_of_fold
from eval.protocol import Protocol
from recipes.out_of_fold import with_llrs, write_out_of_fold
from recipes.voice_clone import folds, judge_ablation
from recipes.voice_clone.calibration import level, levelled_calibration, out_of_fold_scores
from recipes.voice_clone.evaluate import score_rows
from recipes.voice_clone.fold_figures import disagreements
from recipes.voice_clone.folds import Options, run, turns
from recipes.voice_clone.judge import fit, judge
from recipes.voice_clone.rows import shipped_split
from recipes.voice_clone.samples import MEASURED_THROUGH, ClipNumbers, clip_numbers
from recipes.voice_clone.settings import Settings, read_settings
from tests.recipes.voice_clone.miniature import write_miniature

Data = tuple[Path, list[ManifestRow], Protocol]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    root = tmp_path_factory.mktemp("miniature")
    return root, *write_miniature(root)


@pytest.fixture(scope="module")
def options(data: Data) -> Iterator[Options]:
    """Of a run that is done: all procedures, numbers kept."""
    root, rows, protocol = data
    chosen = Options(
        numbers=root / "numbers.npz",
        out=root / "scores" / "out_of_fold.csv",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVDETECT_DATA", str(root))
        assert run(rows, protocol, chosen) == 0
        yield chosen


def test_every_clip_is_scored_once_by_judges_that_saw_nothing_of_it(
    data: Data, options: Options
) -> None:
    scored = read_out_of_fold(options.out)
    for procedure, table in (
        ("pool", "train/"),
        ("modern_unseen", "modern/"),
        ("modern_leave_source_out", "modern/"),
    ):
        ids = sorted(e.id for e in scored if e.procedure == procedure)
        assert ids == sorted(row.id for row in data[1] if row.id.startswith(table)), procedure
    assert any(e.score is not None for e in scored)


def test_training_again_gives_the_same_file(
    data: Data, options: Options, capsys: pytest.CaptureFixture[str]
) -> None:
    _, rows, protocol = data
    again = replace(options, out=options.out.with_name("again.csv"))
    assert run(rows, protocol, again) == 0
    assert again.out.read_bytes() == options.out.read_bytes()
    assert "measuring anew" not in capsys.readouterr().out


def test_a_check_fails_where_scores_are_flipped(
    data: Data, options: Options, capsys: pytest.CaptureFixture[str]
) -> None:
    _, rows, protocol = data
    assert run(rows, protocol, replace(options, check=True)) == 0
    flipped = [
        replace(e, fake_llr=None if e.fake_llr is None else -e.fake_llr)
        for e in read_out_of_fold(options.out)
    ]
    other = replace(options, out=options.out.with_name("flipped.csv"), check=True)
    write_out_of_fold(other.out, flipped, commit="x", config_sha256="y")
    assert run(rows, protocol, other) == 1
    assert "outside the committed 95 % interval" in capsys.readouterr().out


def test_a_check_fails_where_other_settings_made_the_file(
    data: Data, options: Options, capsys: pytest.CaptureFixture[str]
) -> None:
    _, rows, protocol = data
    other = replace(options, out=options.out.with_name("other.csv"), check=True)
    write_out_of_fold(
        other.out, read_out_of_fold(options.out), commit="x", config_sha256="of other settings"
    )
    assert run(rows, protocol, other) == 1
    assert "made with other settings or folds" in capsys.readouterr().out


def test_scores_of_other_clips_do_not_agree(data: Data, options: Options) -> None:
    scored = read_out_of_fold(options.out)
    (found,) = disagreements(scored, scored[1:], {row.id: row for row in data[1]})
    assert found.startswith("pool: 12 clips scored, 11 in the committed file")


def test_no_turn_trains_on_what_it_holds_out(
    data: Data,
) -> None:
    _, rows, protocol = data
    found = {(turn.procedure, turn.fold): turn for turn in turns(rows, protocol)}
    assert set(found) == {
        *(("pool", fold) for fold in ("north", "south", "west")),
        ("modern_unseen", "modern"),
        *(("modern_leave_source_out", source) for source in ("b/new", "b/newer")),
    }
    for turn in found.values():
        for field in ("source", "speaker", "generator"):
            learned = {getattr(row, field) for row in turn.training} - {""}
            assert not learned & {getattr(row, field) for row in turn.test}, turn.fold
    # The generator that south and west share is measured in both and taught in neither.
    assert "Everywhere" in {row.generator for row in found["pool", "west"].test}
    assert "Everywhere" in {row.generator for row in found["pool", "north"].training}


def test_a_leaking_fold_is_never_fitted(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    _, rows, protocol = data

    def leaking(
        rows: list[ManifestRow], protocol: Protocol, fold: str, *, training_folds: list[str]
    ) -> tuple[list[ManifestRow], list[ManifestRow]]:
        return [replace(r, split="train") for r in rows], [replace(r, split="test") for r in rows]

    monkeypatch.setattr(folds, "fold_split", leaking)
    with pytest.raises(LeakError, match="pool without north"):
        turns(rows, protocol)


def test_an_unknown_fold_is_named_with_those_there_are(data: Data, options: Options) -> None:
    _, rows, protocol = data
    with pytest.raises(UsageError, match="'east', only north, south, west"):
        run(rows, protocol, replace(options, fold="east"))


def test_the_calibration_of_a_fold_never_uses_that_fold() -> None:
    rng = np.random.default_rng(0)
    truth, scored = {}, []
    for k in range(60):
        label, fold = ("fake", "real")[k % 2], ("a", "b", "c")[k % 3]
        truth[str(k)] = ManifestRow(id=str(k), path="x", label=label)
        score = float(rng.normal(1.0 if label == "fake" else -1.0, 1.0))
        scored.append(OutOfFold(procedure="pool", id=str(k), fold=fold, score=score))
    before = with_llrs(scored, truth)
    # Turning every label of fold a changes the maps of b and c, and not its own.
    for e in scored:
        if e.fold == "a":
            turned = "real" if truth[e.id].label == "fake" else "fake"
            truth[e.id] = ManifestRow(id=e.id, path="x", label=turned)
    after = {e.id: e.fake_llr for e in with_llrs(scored, truth)}
    for e in before:
        assert (after[e.id] == e.fake_llr) == (e.fold == "a")


def test_the_shipped_calibration_rests_on_training_folds_alone(
    data: Data, options: Options
) -> None:
    _, rows, protocol = data
    settings = read_settings(options.config).judge
    measured = clip_numbers(rows, options.numbers, settings.vocoder)
    training, _ = shipped_split(rows, protocol)
    fitted = out_of_fold_scores(training, protocol, measured, settings)
    assert {t.clip for t in fitted} <= {r.id for r in rows if r.source in ("a/north", "a/south")}


def test_little_is_left_to_calibrate_behind_the_levels(data: Data, options: Options) -> None:
    _, rows, protocol = data
    settings = read_settings(options.config)
    measured = clip_numbers(rows, options.numbers, settings.judge.vocoder)
    training, _ = shipped_split(rows, protocol)
    trials = out_of_fold_scores(training, protocol, measured, settings.judge)
    branch, head = joined(rows, measured, settings)
    level(head, trials)
    left = levelled_calibration(branch, trials)
    assert 0.3 < left.scale < 3.0
    assert abs(left.offset) < 0.7


def test_the_judge_scores_a_clip_as_the_branch_does(data: Data, options: Options) -> None:
    _, rows, _ = data
    settings = read_settings(options.config)
    measured = clip_numbers(rows, options.numbers, settings.judge.vocoder)
    branch, head = joined(rows, measured, settings)
    head.scale[2], head.offset[2] = 0.5, -1.0  # coded narrow sound is levelled in both
    for channel in MEASURED_THROUGH:
        trials = score_rows(branch, rows, channel)
        alone = [judge(head, measured[row.id], channel) for row in trials.rows]
        assert trials.scores == pytest.approx(alone, abs=1e-3)
        assert trials.n_missing == sum(
            judge(head, clip, channel) is None for clip in measured.values()
        )


def joined(
    rows: list[ManifestRow], measured: dict[str, ClipNumbers], settings: Settings
) -> tuple[VoiceCloneBranch, RedrawingJudge]:
    """A branch of a fitted judge and a network whose score does not count."""
    head = fit(rows, measured, settings.judge)
    network = settings.network | {"width": 16, "token_width": 8}
    net = build_voice_net(network)
    net.linear_judge = head
    return VoiceCloneBranch(net, front_end(network), torch.device("cpu")), head


def test_the_judge_is_measured_without_each_of_its_parts(data: Data, options: Options) -> None:
    _, rows, protocol = data
    settings = read_settings(options.config).judge
    clips = clip_numbers(rows, options.numbers, settings.vocoder)
    planned = [
        turn for turn in turns(rows, protocol) if turn.procedure in ("pool", "modern_unseen")
    ]
    found = {
        name: judge_ablation.figures(judge_ablation.VARIANTS[name], planned, clips, settings)
        for name in ("all", "without forging", "differences of statistics alone")
    }
    channels = {(p, c) for p in ("pool", "modern_unseen") for c in MEASURED_THROUGH}
    assert all(set(aucs) == channels for aucs in found.values())
    assert found["all"] != found["without forging"] != found["differences of statistics alone"]
    row = judge_ablation.line("all", found["all"])
    assert row.startswith(f"| all | {found['all']['pool', 'clean']:.3f} | ")


def test_variants_of_the_judge_leave_out_what_they_say(data: Data) -> None:
    settings = read_settings(Options().config).judge
    variants = judge_ablation.VARIANTS
    for name, made in (
        ("without forging", ("twin", "said")),
        ("without vocoded twins", ("twin",)),
        ("without speech synthesisers", ("said",)),
    ):
        changed = variants[name].settings(settings)
        kept = {*changed.recorded_from, *changed.coded_from}
        dropped = {*settings.recorded_from, *settings.coded_from} - kept
        assert dropped and all(version.startswith(made) for version in dropped)
        assert not any(version.startswith(made) for version in kept)
    assert variants["without channels"].settings(settings).coded_from == settings.recorded_from
    taught = variants["without fakes of others"].taught_by(data[1])
    assert {row.audio_label for row in taught} == {"real"}
    numbers = np.ones((2, N_REDRAWN), np.float32)
    halves = [variants[name].numbers(numbers) for name in variants if name.endswith("alone")]
    assert len(halves) == 2 and np.array_equal(sum(halves), numbers)
