"""Attacks on what ships, over the samples of this repository."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from avdetect.checkpoint import load_checkpoint, read_bundle
from avdetect.doctor import babble
from avdetect.faces.detect import FaceFinder
from eval.attacks.faces import FaceItem, FaceJudge, laundered_llr, read_faces, white_box_crop
from eval.attacks.voices import (
    VoiceAttackJudge,
    VoiceItem,
    launder,
    read_voices,
    white_box_waveform,
)
from eval.manifest.row import ManifestRow
from tests.paths import SAMPLES
from tests.synth import Sound, encode


@pytest.fixture(scope="module")
def face_judge() -> FaceJudge:
    return FaceJudge(load_checkpoint(read_bundle().checkpoints["visual_forgery"]))


@pytest.fixture(scope="module")
def face() -> FaceItem:
    row = ManifestRow(
        id="forged", path="portrait_forged.mp4", label="fake", video_label="fake", source="ours"
    )
    (item,) = read_faces([row], SAMPLES)
    return item


@pytest.fixture(scope="module")
def voice_judge() -> VoiceAttackJudge:
    return VoiceAttackJudge(load_checkpoint(read_bundle().checkpoints["voice_clone"]))


@pytest.fixture(scope="module")
def voice(tmp_path_factory) -> VoiceItem:
    folder: Path = tmp_path_factory.mktemp("voice")
    encode(folder / "voice.flac", sound=Sound(samples=babble(3.0), codec="flac"))
    row = ManifestRow(id="voice", path="voice.flac", label="fake", audio_label="fake")
    (item,) = read_voices([row], folder)
    return item


@pytest.mark.parametrize("towards", [1, -1])
def test_the_face_branch_moves_as_asked_by_whole_pixels_within_epsilon(face, face_judge, towards):
    chance = torch.Generator().manual_seed(0)
    attacked = white_box_crop(face_judge.score, face.crop, towards, "pgd", 2, chance)
    assert np.abs(attacked.astype(int) - face.crop.astype(int)).max() <= 2
    moved = face_judge.llr(face, attacked) - face_judge.llr(face, face.crop)
    assert moved * towards > 0


def test_a_single_step_keeps_to_epsilon_too(face, face_judge):
    chance = torch.Generator().manual_seed(0)
    attacked = white_box_crop(face_judge.score, face.crop, 1, "fgsm", 4, chance)
    assert 0 < np.abs(attacked.astype(int) - face.crop.astype(int)).max() <= 4


def test_a_laundered_face_is_found_and_judged_anew(face, face_judge):
    with FaceFinder() as finder:
        laundered = laundered_llr(face, "jpeg_50", face_judge, finder, seed=0)
    assert laundered is not None
    assert laundered != face_judge.llr(face, face.crop)


def test_the_voice_network_moves_as_asked_within_epsilon(voice, voice_judge):
    chance = torch.Generator().manual_seed(0)
    attacked = white_box_waveform(voice, voice_judge, "pgd", 30.0, chance)
    assert np.abs(attacked - voice.waveform).max() <= voice.epsilon(30.0) * 1.001

    def score(waveform: np.ndarray) -> float:
        with torch.no_grad():
            return voice_judge.network_score(voice, torch.from_numpy(waveform)[None]).item()

    assert score(attacked) < score(voice.waveform)


def test_voices_are_laundered_by_a_real_codec_and_judged_by_the_branch(voice, voice_judge):
    sent = launder(voice, "ulaw", seed=0)
    assert sent.shape == voice.waveform.shape
    assert not np.array_equal(sent, voice.waveform)
    assert voice_judge.llr(voice, sent) is not None
