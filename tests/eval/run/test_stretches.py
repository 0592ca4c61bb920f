"""Stretches of a timeline and how well they find what was forged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from avdetect.types import Segment
from avdetect.verdict import SuspiciousSegment, TimelineEntry
from eval.errors import ScoresError
from eval.run.localise import localisation_figures
from eval.run.store import CLEAN
from eval.run.stretches import append_located, locate, read_located, write_located
from tests.eval.run.known import verdict, voice_row


def timeline(*llrs: float, branch: str = "voice_clone"):
    return tuple(
        TimelineEntry(start_s=float(at), end_s=at + 1.0, branch=branch, fake_llr=llr)
        for at, llr in enumerate(llrs)
    )


def located(*llrs: float, clip_id: str = "pool/1.wav"):
    return locate(
        clip_id, CLEAN, verdict("x", 1.0).model_copy(update={"timeline": timeline(*llrs)})
    )


def test_suspicious_neighbours_are_one_stretch_and_the_surest_comes_first():
    found = located(-1.0, 0.5, 1.5, -2.0, 3.0).stretches
    assert [(s.start_s, s.end_s) for s in found] == [(4.0, 5.0), (1.0, 3.0)]
    assert found[1].confidence == pytest.approx(0.731059, abs=1e-6)  # of the mean LLR, 1


def test_branches_and_faces_are_not_joined():
    both = timeline(1.0) + timeline(1.0, branch="lip_sync")
    found = locate("a", CLEAN, verdict("x", 1.0).model_copy(update={"timeline": both}))
    assert sorted(s.branch for s in found.stretches) == ["lip_sync", "voice_clone"]


def test_what_frames_located_stands_for_the_timeline_of_its_branch():
    both = timeline(1.0) + timeline(1.0, branch="lip_sync")
    word = SuspiciousSegment(branch="voice_clone", start_s=0.3, end_s=0.9, score=0.8)
    told = verdict("x", 1.0).model_copy(update={"timeline": both, "suspicious": (word,)})
    found = locate("a", CLEAN, told).stretches
    assert [(s.branch, s.start_s, s.end_s) for s in found] == [
        ("voice_clone", 0.3, 0.9),
        ("lip_sync", 0.0, 1.0),
    ]


def test_file_reads_back_and_half_a_line_is_left_out(tmp_path):
    path = tmp_path / "segments.jsonl"
    first, second = located(1.0, 2.0), located(clip_id="pool/2.wav")
    write_located(path, {first.key: first})
    append_located(path, [second])
    assert read_located(path) == {first.key: first, second.key: second}
    path.write_bytes(path.read_bytes()[:-5])
    assert read_located(path) == {first.key: first}
    path.write_text('{"id": "a"}\n')
    with pytest.raises(ScoresError, match="line 1"):
        read_located(path)


def test_localisation_is_measured_where_a_clip_is_forged_in_part():
    spliced = voice_row(1, fake_segments=(Segment(1.0, 3.0),), duration_s=5.0)
    real = voice_row(0, duration_s=5.0)
    clips = {(spliced.id, CLEAN): located(-1.0, 1.0, 1.0, -1.0, -1.0)}
    figures = localisation_figures([spliced, real], clips)
    assert (figures["n_clips"], figures["n_segments"]) == (2, 1)
    assert set(figures["ap"].values()) == set(figures["ar"].values()) == {1.0}
    off = {(spliced.id, CLEAN): located(-1.0, -1.0, 1.0, 1.0, -1.0)}
    assert localisation_figures([spliced, real], off)["ap"]["0.5"] == 0.0
    whole = replace(spliced, fake_segments=(Segment(0.0, 5.0),))
    assert localisation_figures([whole, real], clips) is None
