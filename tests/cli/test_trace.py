"""`avdetect trace`: what it prints, its exit codes, and its answers to bad inputs."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from avdetect.cli.app import run
from tests.tracing.made_sources import MAKERS
from tests.tracing.made_tracer import made_tracer


@pytest.fixture
def tracer(monkeypatch):
    """The tracer of code-made pictures in place of the shipped one."""
    monkeypatch.setattr("avdetect.tracing.pictures.load_picture_tracer", made_tracer)


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(8)
    paths = []
    for turn in (0, 1):
        for name, maker in MAKERS.items():
            paths.append(str(tmp_path / f"{turn}_{name}.png"))
            cv2.imwrite(paths[-1], cv2.cvtColor(maker(rng), cv2.COLOR_RGB2BGR))
    return paths


def test_help_shows_examples(capsys):
    assert run(["trace", "--help"]) == 0
    assert "avdetect trace ad1.jpg ad2.jpg ad3.jpg" in capsys.readouterr().out


def test_files_are_named_and_grouped(tracer, pictures, capsys):
    assert run(["trace", *pictures]) == 0
    out = capsys.readouterr().out
    assert f"{pictures[0]}  picture: nearest\n" in out
    assert "Group 1: 2 pictures seem to share a source" in out


def test_json_is_one_object_and_nothing_else(tracer, pictures, capsys):
    assert run(["trace", "--json", *pictures[:2]]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [trace["source"] for trace in found["traces"]] == ["nearest", "transposed"]
    assert found["groups"] == []


def test_files_of_two_makers_are_said_to_be_unrelated(tracer, pictures, capsys):
    assert run(["trace", "-q", *pictures[:2]]) == 0
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 3
    assert out[-1] == "No two of these files seem to come from one generator."


def test_absent_and_broken_files_are_told_and_exit_3(tracer, pictures, tmp_path, capsys):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    assert run(["trace", str(tmp_path / "absent.png"), str(broken), pictures[0]]) == 3
    out = capsys.readouterr().out
    assert out.count("NOT READ") == 2
    assert "picture: nearest" in out


def test_empty_folder_is_told_without_loading_models(tmp_path, capsys):
    assert run(["trace", str(tmp_path)]) == 3
    assert "no media files in this folder" in capsys.readouterr().out


def test_file_name_cannot_forge_a_line(tracer, pictures, tmp_path, capsys):
    forged = tmp_path / "a\nb  picture: camera.png"
    forged.write_bytes(b"rubbish")
    assert run(["trace", str(forged)]) == 3
    (line,) = capsys.readouterr().out.splitlines()
    assert "NOT READ" in line


def test_standard_input_and_no_input_are_wrong_usage(capsys):
    assert run(["trace", "-"]) == 2
    assert "reads files only" in capsys.readouterr().err
    assert run(["trace"]) == 2


def test_missing_model_is_told_and_exits_2(pictures, tmp_path, monkeypatch, capsys):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "default.toml").write_text("[checkpoints]\n")
    monkeypatch.setenv("AVDETECT_MODELS", str(tmp_path / "models"))
    assert run(["trace", pictures[0]]) == 2
    assert "no model 'picture_trace" in capsys.readouterr().err
