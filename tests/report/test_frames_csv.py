"""The table of frames: every scored 20 ms under the right name, whole or not there."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from avdetect.branches.base import BranchOutput, FrameScores
from avdetect.errors import OutputError, UsageError
from avdetect.localise import scored_frames
from avdetect.report.frames_csv import COLUMNS, FrameTable
from avdetect.types import Part

LEFT, FACE = Part("left"), Part(face_track=2)


def output(part, starts, frame_s, relative=False, scores=None):
    frames = FrameScores(
        segments=np.stack([starts, starts + frame_s], 1),
        scores=np.asarray(np.arange(len(starts)) if scores is None else scores, np.float32),
        weights=np.ones(len(starts), np.float32),
        relative=relative,
    )
    return BranchOutput(
        part=part,
        segments=np.array([[starts[0], starts[-1] + frame_s]]),
        scores=np.zeros(1, np.float32),
        tokens=np.zeros((1, 1), np.float32),
        weights=np.ones(1, np.float32),
        frames=frames,
    )


@pytest.fixture
def parts():
    voice = [output(LEFT, 0.02 * np.arange(3), 0.02), output(LEFT, 4.0 + 0.02 * np.arange(2), 0.02)]
    face = [output(FACE, 0.2 * np.arange(20), 0.2, relative=True, scores=[0.0] * 19 + [9.0])]
    silent = BranchOutput.absent(Part("right"), "no speech", 1)
    return scored_frames(
        {"visual_forgery": {FACE: face}, "voice_clone": {LEFT: voice, Part("right"): [silent]}}
    )


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_frame_of_every_clip_is_a_row(parts, tmp_path):
    target = tmp_path / "frames.csv"
    with FrameTable(target) as table:
        table.add("a,b.wav", parts)
        table.add("c.wav", parts[1:])
    found = rows(target)
    assert tuple(found[0]) == COLUMNS
    voice = [row for row in found if row["branch"] == "voice_clone"]
    assert [row["path"] for row in voice] == ["a,b.wav"] * 5 + ["c.wav"] * 5
    assert [float(row["start_s"]) for row in voice[:5]] == [0.0, 0.02, 0.04, 4.0, 4.02]
    assert {(row["channel"], row["face_track"]) for row in voice} == {("left", "")}


def test_rows_of_a_face_are_20_ms_and_stand_beside_its_rest(parts, tmp_path):
    with FrameTable(tmp_path / "frames.csv") as table:
        table.add("a.mp4", parts[:1])
    found = rows(tmp_path / "frames.csv")
    assert len(found) == 200 and {row["face_track"] for row in found} == {"2"}
    assert float(found[-1]["score"]) > 3.0 > float(found[0]["score"])


def test_a_run_that_ends_early_leaves_the_table_of_before(parts, tmp_path):
    target = tmp_path / "frames.csv"
    target.write_text("before")
    with pytest.raises(KeyboardInterrupt), FrameTable(target) as table:
        table.add("a.wav", parts)
        raise KeyboardInterrupt
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("name", ["no_such_folder/frames.csv", ".", "", "/"])
def test_a_place_where_nothing_can_lie_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match="folder"):
        FrameTable(Path(name))
    assert list(tmp_path.iterdir()) == []


def test_no_input_is_written_over(tmp_path):
    clip = tmp_path / "call.wav"
    clip.write_bytes(b"sound")
    with pytest.raises(UsageError, match="is the clip itself"):
        FrameTable(clip, [tmp_path / "other.wav", clip])
    assert clip.read_bytes() == b"sound"


def test_a_run_that_looked_at_nothing_leaves_the_table_of_before(tmp_path):
    target = tmp_path / "frames.csv"
    target.write_text("before")
    with FrameTable(target):
        pass
    assert target.read_text() == "before"


def test_a_moment_that_two_observations_saw_is_one_row():
    starts = 0.02 * np.arange(4)
    first, second = output(LEFT, starts, 0.02), output(LEFT, starts + 0.04, 0.02)
    (found,) = scored_frames({"voice_clone": {LEFT: [first, second]}})
    assert found.frames.segments[:, 0].tolist() == pytest.approx([0.02 * n for n in range(6)])
    assert found.frames.scores.tolist() == pytest.approx([0, 1, 1, 2, 2, 3])
