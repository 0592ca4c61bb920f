"""The recipe on clips drawn in code: it learns, its forgeries are what they say, nothing leaks."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from avdetect.branches.lip_sync import build_lip_sync
from avdetect.checkpoint import Checkpoint, ModelCard
from avdetect.errors import CheckpointError
from avdetect.foreign_checkpoints import import_checkpoint
from avdetect.nn.offset_curve import MAX_OFFSET_FRAMES
from avdetect.nn.sync_encoder import shrink_mouths
from avdetect.nn.sync_head import ConsistencyHead
from eval.splits import video_split
from recipes.lip_sync.augment import augment, mirror
from recipes.lip_sync.head_stage import head_loss, train_head, twins
from recipes.lip_sync.mismatch import SHARES, forged_twin, late, real_twin
from recipes.lip_sync.progress import Job
from recipes.lip_sync.settings import Settings, read_settings
from recipes.lip_sync.streams import network_config, new_streams
from recipes.lip_sync.sync_stage import (
    SyncStage,
    delayed,
    measure_sync,
    random_window,
    shuffled_pairs,
    train_sync,
)
from recipes.lip_sync.train import RUNS, trained_state
from recipes.lip_sync.windows import TalkingClip, cut_window, training_rows
from tests.nn.published_av_hubert import published
from tests.shared import requires_shared
from tests.talking_mouth import opening, pictures, voice

SETTINGS = Settings(
    name="test",
    seed=0,
    held_out=(),
    mouth_width=8,
    speech_width=8,
    embedding=16,
    head_width=8,
    batch=8,
    sync_epochs=1,
    sync_rate=1e-3,
    head_epochs=1,
    head_rate=1e-3,
    decay=0.0,
)


def _clip(seed, crop_px=48):
    openness = opening(45, seed)
    lips = np.zeros((45, 40, 2), np.float32)
    lips[:, ::2, 1] = 0.3 * openness[:, None]
    return TalkingClip(
        file=f"{seed}.mp4",
        identity=f"person {seed}",
        source="drawn",
        mouths=shrink_mouths(torch.from_numpy(pictures(openness)), crop_px).numpy(),
        lips=lips,
        audio=voice(openness, seed),
        lead=0,
    )


@pytest.fixture(scope="module")
def clips():
    return [_clip(seed) for seed in range(8)]


def test_training_lowers_the_loss(clips):
    torch.manual_seed(0)
    stage = SyncStage(SETTINGS)
    optimiser = torch.optim.AdamW(stage.parameters(), lr=3e-3)
    windows = [cut_window(clip, 5) for clip in clips]
    losses = []
    for _ in range(12):
        loss = stage.loss(windows)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_head_batches_hold_a_real_and_a_forged_window_of_each_clip(clips):
    torch.manual_seed(0)
    stage = SyncStage(SETTINGS).eval()
    rng = np.random.default_rng(0)
    batch = twins(stage, clips, clips, rng)
    assert [judged.fake for judged in batch[::2]] == [False] * len(clips)
    assert sum(judged.fake for judged in batch[1::2]) >= len(clips) - 1
    head = ConsistencyHead(embedding=16, width=8)
    assert torch.isfinite(head_loss(stage, head, batch, rng))


@pytest.mark.parametrize("kind", [kind for kind in SHARES if kind != "dubbed_mouth"])
def test_a_forgery_changes_mouth_or_sound_and_never_both(clips, kind):
    window, other = cut_window(clips[0], 5), cut_window(clips[1], 5)
    forged = forged_twin(window, kind, np.random.default_rng(1), other=other, dub=None)
    same_sound = np.array_equal(forged.window.sound, window.sound)
    same_mouth = np.array_equal(forged.window.lips, window.lips)
    assert forged.fake
    assert same_sound != same_mouth
    assert forged.window.sound.shape == window.sound.shape
    assert forged.labels.shape == (30,)


def test_a_late_real_window_stays_real(clips):
    window = cut_window(clips[0], 0)
    moved = late(replace(real_twin(window, np.random.default_rng(5))), 4)
    assert not moved.fake
    assert moved.offset == 4
    assert moved.window.heard.sum() == window.heard.sum() - max(0, window.heard[-4:].sum())
    assert np.flatnonzero(moved.window.heard)[0] == np.flatnonzero(window.heard)[0] + 4


def test_delayed_sound_comes_later(clips):
    window, moved = cut_window(clips[0], 5), cut_window(delayed(clips[0], 3), 5)
    assert np.array_equal(moved.sound[3 * 640 :], window.sound[: -3 * 640])


def test_shuffled_pairs_leave_nobody_with_his_own_voice(clips):
    pairs = shuffled_pairs(clips, np.random.default_rng(0))
    for clip, pair in zip(clips, pairs, strict=True):
        assert pair.mouths is clip.mouths
        assert not np.array_equal(pair.audio, clip.audio)


def test_mirror_twice_is_the_same(clips):
    lips = np.random.default_rng(0).normal(0, 0.3, (30, 40, 2)).astype(np.float32)
    window = replace(cut_window(clips[0], 5), lips=lips)
    again = mirror(mirror(window))
    assert np.array_equal(again.mouths, window.mouths)
    assert np.allclose(again.lips, window.lips)
    assert not np.array_equal(mirror(window).lips, window.lips)


def test_augmented_windows_keep_shape_and_range(clips):
    rng = np.random.default_rng(0)
    window = cut_window(clips[0], 5)
    for _ in range(10):
        changed = augment(window, rng)
        assert changed.mouths.shape == window.mouths.shape
        assert changed.mouths.dtype == np.float32
        assert 0.0 <= changed.mouths.min() <= changed.mouths.max() <= 1.0
        assert changed.sound.dtype == np.float32
        assert np.array_equal(changed.heard, window.heard)


def test_an_untrained_network_finds_no_offsets(clips):
    torch.manual_seed(0)
    figures = measure_sync(SyncStage(SETTINGS), clips)
    assert set(figures) == {"within_one", "foreign_auc"}
    assert 0.0 <= figures["within_one"] <= 1.0


def test_random_windows_repeat_with_their_seed(clips):
    first, second = (random_window(clips[0], np.random.default_rng(4)) for _ in range(2))
    assert np.array_equal(first.mouths, second.mouths)
    assert np.array_equal(first.sound, second.sound)
    assert first.heard[MAX_OFFSET_FRAMES]


def test_unknown_settings_are_refused(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("held_out = []\nlearning_speed = 3\n", "utf-8")
    with pytest.raises(TypeError, match="learning_speed"):
        read_settings(path)


@requires_shared
def test_nobody_trains_and_tests():
    settings = read_settings(RUNS.parents[1] / "recipes" / "lip_sync" / "config.toml")
    train, held_out = training_rows(frozenset(settings.held_out))
    tested = video_split()[1]
    assert held_out
    assert not {row["file"] for row in train} & {row["file"] for row in [*held_out, *tested]}
    assert not {row["identity"] for row in train if row["identity"]} & {
        row["identity"] for row in [*held_out, *tested]
    }
    assert not {row["source_repo"] for row in train} & {row["source_repo"] for row in tested}
    assert all(row["label"] == "real" for row in train)


@pytest.mark.parametrize("shuffled", [False, True])
def test_both_stages_run_and_a_finished_training_resumes_to_itself(clips, tmp_path, shuffled):
    job = Job(
        clips=clips,
        held_out=clips,
        settings=SETTINGS,
        folder=tmp_path,
        shuffled=shuffled,
        resume=True,
    )
    first = trained_state(stage := train_sync(job), train_head(stage, job))
    again = trained_state(stage := train_sync(job), train_head(stage, job))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert {key.split(".")[0] for key in first} == {"encoder", "head"}


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """Settings that start from a tiny AV-HuBERT, imported as "av"."""
    (tmp_path / "default.toml").write_text("[checkpoints]\n", "utf-8")
    monkeypatch.setenv("AVDETECT_MODELS", str(tmp_path))
    torch.save({"model": published().state_dict()}, tmp_path / "base.pt")
    import_checkpoint("av_hubert", tmp_path / "base.pt", tmp_path / "av")
    return replace(SETTINGS, batch=4, encoder_model="av")


def test_an_imported_encoder_stays_as_it_came_and_makes_a_branch(imported, tmp_path):
    some = [_clip(seed, 96) for seed in range(3)]
    job = Job(
        clips=some, held_out=some, settings=imported, folder=tmp_path, shuffled=False, resume=True
    )
    before, stage = new_streams(imported).state_dict(), train_sync(job)
    state = trained_state(stage, train_head(stage, job))
    of_net = {key for key in before if key.startswith("net.")}
    assert all(torch.equal(before[key], state[f"encoder.{key}"]) for key in of_net)
    assert not any("net.encoder" in key for key in torch.load(tmp_path / "sync.pt")["network"])
    card = ModelCard(
        name="trained", role="lip_sync", summary="", licence="", weights_sha256="",
        config=network_config(imported), facts={},
    )  # fmt: skip
    branch = build_lip_sync(Checkpoint(card=card, state=state, calibration=None), "cpu")
    with torch.inference_mode():
        windows = [cut_window(clip, 5) for clip in some]
        seen, said, heard = stage.eval().embed(windows)
    assert branch.name == "lip_sync"
    assert seen.shape == (3, 30, 16)
    assert said.shape == (3, 60, 16)
    assert heard.shape == (3, 60)


def test_an_encoder_that_is_none_is_refused(imported):
    with pytest.raises(CheckpointError, match="no model 'another'"):
        new_streams(replace(imported, encoder_model="another"))
