"""What ``avdetect defend`` writes, prints and refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from avdetect.cli.app import run
from avdetect.defence.fidelity import psnr_db
from tests.defence.shields import SAID, write_shields
from tests.paths import SAMPLES
from tests.synth import Sound, encode, numbered_picture, photograph, speech_like

PORTRAIT = SAMPLES / "portrait_real.jpg"


@pytest.fixture(autouse=True)
def small_shields(tmp_path_factory, monkeypatch) -> None:
    monkeypatch.setenv("AVDETECT_MODELS", str(write_shields(tmp_path_factory.mktemp("models"))))
    monkeypatch.delenv("AVDETECT_SPEAKER_MODEL", raising=False)


@pytest.fixture
def portrait(tmp_path) -> Path:
    path = tmp_path / "face.jpg"
    path.write_bytes(PORTRAIT.read_bytes())
    return path


@pytest.fixture
def voice(tmp_path) -> Path:
    return encode(tmp_path / "voice.wav", sound=Sound(samples=speech_like(1.5), codec="pcm_s16le"))


def pixels(path: Path) -> np.ndarray:
    return cv2.imread(str(path), cv2.IMREAD_COLOR)


def test_a_picture_gets_a_lossless_copy_beside_it_with_its_psnr(portrait, capsys):
    before = portrait.read_bytes()
    assert run(["defend", str(portrait)]) == 0
    said = capsys.readouterr().out
    copy = portrait.with_name("face.shielded.png")
    assert "1 face shielded, PSNR" in said
    assert SAID in said
    assert psnr_db(pixels(portrait), pixels(copy)) >= 35.0
    assert not np.array_equal(pixels(portrait), pixels(copy))
    assert portrait.read_bytes() == before


def test_a_jpeg_copy_keeps_the_bound_as_it_decodes(portrait, tmp_path):
    out = tmp_path / "safe.jpg"
    assert run(["defend", str(portrait), "--out", str(out), "--psnr", "36", "--quiet"]) == 0
    assert psnr_db(pixels(portrait), pixels(out)) >= 36.0


def test_a_recording_gets_a_copy_with_its_snr(voice, capsys):
    assert run(["defend", str(voice)]) == 0
    said = capsys.readouterr().out
    assert voice.with_name("voice.shielded.wav").is_file()
    assert "1.5 s shielded, SNR" in said
    assert "Never prevents a forgery." in said


def test_quiet_is_one_line(voice, capsys):
    assert run(["defend", str(voice), "--quiet"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_no_face_is_refused(tmp_path, capsys):
    path = photograph(tmp_path / "blocks.png", numbered_picture(5, 320, 240))
    assert run(["defend", str(path)]) == 3
    assert "no face" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_text("no picture"), "is not sound, video or a picture"),
        (lambda path: None, "no such file"),
    ],
)
def test_what_is_no_media_is_refused_by_name(tmp_path, capsys, make, words):
    path = tmp_path / "thing.jpg"
    make(path)
    assert run(["defend", str(path)]) == 3
    said = capsys.readouterr().err
    assert words in said
    assert "thing.jpg" in said


def test_a_video_is_refused(capsys):
    assert run(["defend", str(SAMPLES / "portrait_forged.mp4")]) == 3
    assert "is a video" in capsys.readouterr().err


def test_an_earlier_copy_is_replaced_only_by_force(voice, capsys):
    copy = voice.with_name("voice.shielded.wav")
    copy.write_bytes(b"mine")
    assert run(["defend", str(voice)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert copy.read_bytes() == b"mine"
    assert run(["defend", str(voice), "--force"]) == 0
    assert copy.stat().st_size > 1000


def test_a_pipe_is_never_replaced(voice, capsys):
    pipe = voice.with_name("pipe.wav")
    os.mkfifo(pipe)
    assert run(["defend", str(voice), "--out", str(pipe), "--force"]) == 2
    assert "is a device or pipe" in capsys.readouterr().err
    assert pipe.is_fifo()


def test_the_input_is_never_replaced(voice, capsys):
    before = voice.read_bytes()
    assert run(["defend", str(voice), "--out", str(voice), "--force"]) == 2
    assert "is the input itself" in capsys.readouterr().err
    assert voice.read_bytes() == before


def test_a_place_that_cannot_be_written_is_refused_before_the_work(voice, tmp_path, capsys):
    assert run(["defend", str(voice), "--out", str(tmp_path / "no" / "where.wav")]) == 2
    assert "there is no folder" in capsys.readouterr().err
    assert run(["defend", str(voice), "--out", str(tmp_path / "voice.mp3")]) == 2
    assert "end its name in .wav or .flac" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--psnr", "--snr"])
def test_a_senseless_bound_is_refused(voice, option, capsys):
    assert run(["defend", str(voice), option, "3"]) == 2
    assert option in capsys.readouterr().err


def test_transparent_pictures_are_refused(tmp_path, capsys):
    rgba = np.dstack([pixels(PORTRAIT), np.full((512, 512), 128, np.uint8)])
    path = tmp_path / "cut_out.png"
    cv2.imwrite(str(path), rgba)
    assert run(["defend", str(path)]) == 3
    assert "transparent" in capsys.readouterr().err


def test_a_models_folder_without_a_shield_says_so(voice, tmp_path, monkeypatch, capsys):
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "default.toml").write_text("[checkpoints]\n")
    monkeypatch.setenv("AVDETECT_MODELS", str(bare))
    assert run(["defend", str(voice)]) == 2
    assert "voice_shield: none" in capsys.readouterr().err


def test_no_library_chatters_beside_the_one_line(tmp_path):
    picture = tmp_path / "grey.png"
    cv2.imwrite(str(picture), np.full((300, 400, 3), 90, np.uint8))
    command = [sys.executable, "-m", "avdetect", "defend", str(picture), "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == f"avdetect: {picture}: no face to shield in it\n"
