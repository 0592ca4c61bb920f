"""Rows to a timeline a reader can use."""

import math

import numpy as np
import pytest
import torch

from avdetect.branches.base import BranchOutput
from avdetect.calibration import Calibration
from avdetect.fusion.any_forged import AnyForged
from avdetect.fusion.cross_attention import CrossAttentionFusion
from avdetect.fusion.late import LateFusion
from avdetect.fusion.subjects import Subject
from avdetect.timeline import build_timeline, fuse_timeline, pick_evidence
from avdetect.types import Part
from avdetect.verdict import TimelineEntry

PLAIN = {"voice_clone": Calibration(scale=1.0, offset=0.0, limit=5.0)}
LEFT = Part(channel="left")


def rows(start_s, scores, weights=None, row_s=0.5):
    n = len(scores)
    starts = start_s + row_s * np.arange(n)
    return BranchOutput(
        part=LEFT,
        segments=np.stack([starts, starts + row_s], 1),
        scores=np.array(scores, np.float32),
        tokens=np.zeros((n, 2), np.float32),
        weights=np.ones(n, np.float32) if weights is None else np.array(weights, np.float32),
    )


def test_half_second_rows_become_one_second_bins_of_their_weighted_mean():
    outputs = {"voice_clone": {LEFT: [rows(0.0, [1.0, 3.0, -2.0, -2.0], [1.0, 0.5, 1.0, 1.0])]}}
    first, second = build_timeline(outputs, PLAIN, 2.0)
    assert (first.start_s, first.end_s, first.channel) == (0.0, 1.0, "left")
    assert first.fake_llr == pytest.approx(5 / 3, abs=1e-4)
    assert second.fake_llr == pytest.approx(-2.0)


def test_rows_without_weight_leave_a_gap():
    outputs = {
        "voice_clone": {LEFT: [rows(0.0, [1.0, 1.0, 9.0, 9.0, 1.0, 1.0], [1, 1, 0, 0, 1, 1])]}
    }
    assert [entry.start_s for entry in build_timeline(outputs, PLAIN, 3.0)] == [0.0, 2.0]


def test_a_two_hour_call_still_fits_a_page():
    found = [rows(3.0 * i, [0.1] * 6) for i in range(2400)]
    assert len(build_timeline({"voice_clone": {LEFT: found}}, PLAIN, 7200.0)) <= 601


def test_evidence_is_what_favours_fake_worst_first():
    outputs = {"voice_clone": {LEFT: [rows(0.0, [-1.0, -1.0, 2.0, 2.0, 0.5, 0.5])]}}
    evidence = pick_evidence(build_timeline(outputs, PLAIN, 3.0))
    assert [e.start_s for e in evidence] == [1.0, 2.0]
    assert evidence[0].text == "the voice sounds synthetic"


def test_what_was_said_once_of_several_seconds_is_one_piece_of_evidence():
    outputs = {"voice_clone": {LEFT: [rows(0.0, [0.7] * 8 + [-1.0] * 2 + [0.7] * 2)]}}
    first, second = pick_evidence(build_timeline(outputs, PLAIN, 6.0))
    assert (first.start_s, first.end_s) == (0.0, 4.0)
    assert (second.start_s, second.end_s) == (5.0, 6.0)


def test_a_pause_does_not_part_what_was_said_once():
    weights = [1, 1, 1, 0, 1, 1, 1, 1]
    outputs = {"voice_clone": {LEFT: [rows(0.0, [0.7] * 8, weights)]}}
    (found,) = pick_evidence(build_timeline(outputs, PLAIN, 4.0))
    assert (found.start_s, found.end_s) == (0.0, 4.0)


def test_parts_with_one_number_stay_apart():
    timeline = [entry("voice_clone", 0.0, 1.0, channel=name) for name in ("left", "right")]
    assert {item.channel for item in pick_evidence(timeline)} == {"left", "right"}


def test_a_clean_clip_has_no_evidence():
    outputs = {"voice_clone": {LEFT: [rows(0.0, [-1.0, -0.5])]}}
    assert pick_evidence(build_timeline(outputs, PLAIN, 1.0)) == ()


def fused(timeline, subjects, late=None, duration_s=3.0):
    late = late or AnyForged({"voice_clone": 0.5, "visual_forgery": 0.5, "lip_sync": 0.5})
    bounds = dict.fromkeys(
        ("voice_clone", "visual_forgery"), Calibration(scale=1.0, offset=0.0, limit=5.0)
    )
    fusion = CrossAttentionFusion.late_alone(late, bounds, torch.device("cpu"))
    return fuse_timeline(timeline, subjects, fusion, duration_s)


def entry(branch, start_s, fake_llr, **part):
    return TimelineEntry(
        start_s=start_s, end_s=start_s + 0.8, branch=branch, fake_llr=fake_llr, **part
    )


def test_each_second_is_fused_from_the_branches_that_judged_it():
    talker = Subject(
        Part(channel="left", face_track=0), {"voice_clone": 1.0, "visual_forgery": 2.0}
    )
    timeline = [
        entry("voice_clone", 0.0, 2.0, channel="left"),
        entry("visual_forgery", 0.1, -1.0, face_track=0),
        entry("visual_forgery", 1.1, 3.0, face_track=0),
        entry("voice_clone", 0.0, 4.0, channel="right"),  # somebody else
    ]
    both, face = fused(timeline, [talker])
    assert (both.start_s, both.end_s) == (0.0, 0.9)
    assert (both.channel, both.face_track) == ("left", 0)
    assert both.fake_llr == pytest.approx(math.log((math.exp(2) + math.exp(-1)) / 2), abs=1e-4)
    assert (face.start_s, face.fake_llr) == (1.1, 3.0)


def test_a_moment_claims_no_more_than_fusion_may():
    talker = Subject(Part(channel="left", face_track=0), {"voice_clone": 1.0, "lip_sync": 1.0})
    timeline = [
        entry("voice_clone", 0.0, 5.0, channel="left"),
        entry("lip_sync", 0.0, 5.0, channel="left", face_track=0),
    ]
    late = LateFusion({"lip_sync+voice_clone": (1.0, 1.0, 0.0)})
    assert [e.fake_llr for e in fused(timeline, [talker], late)] == [5.0]


def test_a_voice_alone_is_its_own_timeline():
    timeline = [entry("voice_clone", s, 1.0 + s, channel="left") for s in (0.0, 1.0)]
    alone = fused(timeline, [Subject(Part(channel="left"), {"voice_clone": 1.5})])
    assert [(e.start_s, e.fake_llr) for e in alone] == [(0.0, 1.0), (1.0, 2.0)]
