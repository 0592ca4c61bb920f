"""What the defence recipe rests on: disjoint networks, folds, intervals, and claims in words."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recipes.defence.export import face_claims, voice_claims
from recipes.defence.face_crops import moved, to_side
from recipes.defence.intervals import mean_interval
from recipes.defence.settings import CONFIG, read_settings
from recipes.defence.voice_clips import speaker_is_held_out


def figure(mean: float) -> dict:
    return {"n": 9, "mean": mean, "mean_95": [mean - 0.1, mean + 0.1]}


def test_no_network_measured_on_is_one_the_shield_is_made_with():
    settings = read_settings()
    for made, measured in (
        (settings.surrogates, (*settings.unseen, settings.judge)),
        (settings.speaker_surrogates, settings.speaker_unseen),
    ):
        assert {one.seed for one in made}.isdisjoint(one.seed for one in measured)
        assert {one.name for one in made}.isdisjoint(
            one.name for one in measured if one.name != "judge"
        )


def test_an_unknown_key_is_refused(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.read_text("utf-8").replace("[identity] ", "[identity]\nspeed = 3\n#"))
    with pytest.raises(TypeError):
        read_settings(path)


def test_a_quarter_of_the_speakers_is_held_out_always_the_same():
    names = [f"speaker {k}" for k in range(400)]
    held_out = [speaker_is_held_out(name) for name in names]
    assert 0.15 < np.mean(held_out) < 0.35
    assert held_out == [speaker_is_held_out(name) for name in names]


def test_the_interval_holds_the_mean_and_narrows_with_people():
    values = np.random.default_rng(0).normal(0.5, 0.2, 200)
    few, many = mean_interval(values[:8]), mean_interval(values)
    assert many[0] < values.mean() < many[1]
    assert many[1] - many[0] < few[1] - few[0]


def test_faces_move_a_little_and_keep_their_size():
    faces = torch.rand(2, 3, 32, 32)
    turned = moved(faces, torch.Generator().manual_seed(0))
    assert turned.shape == faces.shape
    assert not torch.equal(turned, faces)
    assert to_side(faces, 16).shape == (2, 3, 16, 16)


def test_claims_name_bound_command_and_both_kinds_of_networks():
    vector = {name: figure(0.5) for name in ("shield", "shield_jpeg_75", "stranger")}
    swap = {
        name: figure(0.4)
        for name in ("clean", "stranger", "shield_lowers", "shield_jpeg_75_lowers")
    }
    at = {
        "picture_psnr_db": figure(36.0),
        "asked_psnr_db": 35.0,
        "surrogates": {"first": {"vector": vector, "swap": swap}},
        "unseen": {"other": {"vector": vector}},
    }
    claims = face_claims({"command": "python -m x", "bound_35_db": at})
    assert "9 people" in claims[0]
    assert "35 dB" in claims[0]
    assert any("it was made with (first)" in c and "falls by 0.40" in c for c in claims)
    assert any("it never saw (other)" in c for c in claims)


def test_voice_claims_tell_cosines_and_error_rates():
    row = {
        "same_before": figure(0.5),
        "same_after": figure(0.2),
        "other": figure(0.1),
        "eer_before": 0.1,
        "eer_after": 0.3,
    }
    figures = {
        "command": "python -m y",
        "n_speakers": 9,
        "asked_snr_db": 25.0,
        "surrogates": {"time": {"clean": row}},
        "unseen": {"other": {"clean": row, "ulaw": row}},
    }
    text = "\n".join(voice_claims(figures))
    assert "9 speakers" in text
    assert "EER 10.0% to 30.0%" in text
    assert "ulaw 0.50 [0.40, 0.60] to 0.20" in text
