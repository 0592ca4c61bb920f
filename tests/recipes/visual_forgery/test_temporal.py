from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import recipes.visual_forgery as recipe
from avdetect.nn.temporal_head import Stretch, TemporalConfig
from recipes.visual_forgery import track_data
from recipes.visual_forgery.temporal import (
    HeadTraining,
    TemporalSettings,
    TemporalTraining,
    read_temporal_settings,
    run,
    thinned,
)
from recipes.visual_forgery.temporal_figures import compare
from recipes.visual_forgery.track_data import Tracks, load_tracks, rows_of, stilled
from tests.shared import requires_shared

SETTINGS = TemporalSettings(
    head=TemporalConfig(width=16, heads=2, dropout=0.1),
    training=TemporalTraining(
        seed=0,
        n_steps=60,
        pairs_per_batch=16,
        learning_rate=5e-3,
        weight_decay=0.0,
        rank_weight=0.5,
        thin_share=0.5,
        save_every=20,
    ),
)


def flickering_tracks(n_pairs=40, seed=0):
    """Twins of the same frame scores, whose fake jumps about its tokens from frame to frame."""
    rng = torch.Generator().manual_seed(seed)
    still = torch.randn(n_pairs, 1, 6, generator=rng).expand(-1, 25, -1)
    jumps = torch.randn(n_pairs, 25, 6, generator=rng)
    tokens = torch.stack([still, still + jumps], 1).flatten(0, 1)
    scores = torch.randn(n_pairs, 1, generator=rng).repeat_interleave(2, 0).expand(-1, 25)
    n = 2 * n_pairs
    return Tracks(
        stretch=Stretch(
            tokens=tokens,
            scores=scores.contiguous(),
            motion=torch.zeros(n, 25, 4),
            times_s=torch.arange(25).repeat(n, 1) / 25.0,
            present=torch.ones(n, 25, dtype=torch.bool),
        ),
        labels=np.tile([0, 1], n_pairs),
        people=[f"p{k // 4}" for k in range(n)],
        sources=[f"s{k % 4 // 2}" for k in range(n)],
        notes=["self_blend|anew"] * n,
    )


def trained(tmp_path, **options):
    training = HeadTraining(flickering_tracks(), SETTINGS, **options)
    run(training, tmp_path, resume=False)
    return training


def test_a_trained_head_gains_on_people_it_never_met(tmp_path):
    figures = compare(trained(tmp_path).head, flickering_tracks(seed=1))

    assert figures["n_real"] == figures["n_fake"] == 40
    assert figures["by_person"]["alone"] == pytest.approx(0.5)
    assert figures["by_person"]["with_head"] > 0.9
    assert figures["by_person"]["gain_95"][0] > 0.2
    assert figures["anew"] == figures["self_blend"]


def test_shuffled_labels_teach_nothing(tmp_path):
    figures = compare(
        trained(tmp_path, shuffle_labels=True).head, flickering_tracks(n_pairs=100, seed=1)
    )

    assert figures["by_person"]["with_head"] < 0.8


def test_an_untrained_head_changes_no_figure():
    tracks = flickering_tracks()

    figures = compare(HeadTraining(tracks, SETTINGS).head, tracks)

    assert figures["by_person"]["gain_95"] == [0.0, 0.0]


def test_resumed_training_goes_on_as_if_never_stopped(tmp_path):
    whole = HeadTraining(flickering_tracks(), SETTINGS)
    first, second = (HeadTraining(flickering_tracks(), SETTINGS) for _ in range(2))
    for _ in range(6):
        whole.advance()
    for _ in range(3):
        first.advance()
    first.save(tmp_path / "training.pt")
    second.load(tmp_path / "training.pt")
    for _ in range(3):
        second.advance()

    assert second.step == 6
    for key, value in whole.head.state_dict().items():
        assert torch.equal(value, second.head.state_dict()[key]), key


def test_twins_lose_the_same_frames():
    torch.manual_seed(0)
    stretch = flickering_tracks().stretch

    present = thinned(stretch, 1.0).present

    assert torch.equal(present[::2], present[1::2])
    assert 0.3 < present.float().mean() < 0.9
    assert torch.equal(thinned(stretch, 0.0).present, stretch.present)


def test_a_stilled_track_keeps_its_mean_and_nothing_moves():
    tracks = flickering_tracks()
    tracks.stretch.present[:, 20:] = False

    still = stilled(tracks)

    assert torch.allclose(still.stretch.tokens[:, 3], tracks.stretch.tokens[:, :20].mean(1))
    assert (still.stretch.tokens.diff(dim=1) == 0.0).all()
    assert torch.allclose(still.frame_scores(), tracks.frame_scores(), atol=1e-6)


def test_others_are_counted_by_their_generator():
    tracks = replace(
        flickering_tracks(4), notes=["", "Some (Generator)"] * 4, sources=["a", "b", "c", "d"] * 2
    )

    figures = compare(HeadTraining(tracks, SETTINGS).head, tracks)

    assert figures["Some (Generator)"]["n_fake"] == 4
    assert "" not in figures


def test_files_of_a_set_are_read_back(tmp_path, monkeypatch):
    monkeypatch.setattr(track_data, "RUNS", tmp_path)
    tracks = flickering_tracks(1)
    folder = tmp_path / "tracks" / "model" / "train"
    folder.mkdir(parents=True)
    table = {field: part.numpy() for field, part in tracks.stretch._asdict().items()}
    table |= {field: np.array(getattr(tracks, field)) for field in ("people", "sources", "notes")}
    for name in ("a", "b"):
        np.savez(folder / f"{name}.npz", **table, labels=tracks.labels)

    read = load_tracks("train", "model")

    assert read.labels.tolist() == [0, 1, 0, 1]
    assert read.people == tracks.people * 2
    assert torch.equal(read.stretch.tokens[2:], tracks.stretch.tokens)
    with pytest.raises(FileNotFoundError, match="held_out: empty"):
        load_tracks("held_out", "model")


def test_committed_config_is_read_and_a_wrong_key_refused(tmp_path):
    path = Path(recipe.__file__).with_name("temporal.toml")
    assert read_temporal_settings(path).training.n_steps > 0

    wrong = tmp_path / "temporal.toml"
    wrong.write_text(path.read_text("utf-8").replace("thin_share", "thin"), "utf-8")
    with pytest.raises(TypeError):
        read_temporal_settings(wrong)


@requires_shared
def test_nobody_who_is_measured_is_trained_on():
    people = {
        name: {(row["identity"], row["source_repo"]) for row in rows_of(name) if row["identity"]}
        for name in ("train", "held_out", "others")
    }

    assert people["train"]
    assert not people["train"] & people["held_out"]
    assert not people["train"] & people["others"]
    assert all(row["label"] == "real" for name in ("train", "held_out") for row in rows_of(name))
