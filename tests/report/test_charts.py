"""Geometry: what is drawn lies where it happened."""

from __future__ import annotations

import re

import numpy as np
import pytest

from avdetect.exhibits import Attribution, AudioExhibit
from avdetect.report import charts
from avdetect.types import Part
from avdetect.verdict import Evidence, FusedEntry, SuspiciousSegment, TimelineEntry


def entry(start_s: float, end_s: float, fake_llr: float, channel: str = "mono") -> TimelineEntry:
    return TimelineEntry(
        start_s=start_s, end_s=end_s, branch="voice_clone", channel=channel, fake_llr=fake_llr
    )


def test_bars_lie_at_their_times():
    (lane,) = charts.timeline_lanes([entry(10, 20, 1.0), entry(30, 40, -2.0)], 40.0)
    assert [(bar.x, bar.width, bar.fake_llr) for bar in lane.bars] == [
        (180.0, 180.0, 1.0),
        (540.0, 180.0, -2.0),
    ]


def test_one_lane_per_branch_and_part():
    lanes = charts.timeline_lanes([entry(0, 1, 1.0, "left"), entry(0, 1, 1.0, "right")], 1.0)
    assert [lane.part for lane in lanes] == [Part("left"), Part("right")]


def test_where_windows_overlap_or_crowd_the_worst_is_shown():
    crowd = [entry(i, i + 1, float(i == 5_000)) for i in range(7_200)]
    (lane,) = charts.timeline_lanes(crowd, 7_200.0)
    assert len(lane.bars) <= charts.WIDTH
    assert max(bar.fake_llr for bar in lane.bars) == 1.0
    (overlap,) = charts.timeline_lanes([entry(0, 10, -1.0), entry(5, 15, 2.0)], 20.0)
    assert [(bar.x, bar.width) for bar in overlap.bars] == [(0.0, 180.0), (180.0, 360.0)]


def test_an_entry_beyond_the_axis_is_kept_at_its_end():
    (lane,) = charts.timeline_lanes([entry(10.0, 10.0, 1.0)], 10.0)
    assert lane.bars[0].x + lane.bars[0].width == charts.WIDTH


@pytest.mark.parametrize("duration_s", [0.3, 1.0, 7.7, 61.0, 600.0, 7_200.0, 100_000.0])
def test_axis_has_a_handful_of_round_times(duration_s):
    ticks = charts.time_ticks(duration_s)
    assert 2 <= len(ticks) <= 11
    assert ticks[0].x == 0.0
    for tick in ticks:
        assert tick.x == pytest.approx(tick.seconds / duration_s * charts.WIDTH)


def test_no_axis_without_length():
    assert charts.time_ticks(0.0) == []
    assert charts.timeline_lanes([entry(0, 0, 1.0)], 0.0)


def test_marks_are_evidence_for_fake_on_this_channel():
    def found(channel: str, fake_llr: float) -> Evidence:
        return Evidence(
            branch="voice_clone", channel=channel, start_s=5, end_s=10, fake_llr=fake_llr, text=""
        )

    marks = charts.channel_marks(
        [found("left", -1), found("right", 2), found("left", 3)], "left", 20
    )
    assert [(mark.number, mark.x, mark.width) for mark in marks] == [(3, 180.0, 180.0)]


def test_waveform_keeps_a_single_peak_of_a_long_clip():
    envelope = np.zeros((3_000, 2), np.float32)
    envelope[1_501] = (-0.9, 0.9)
    exhibit = AudioExhibit(
        channel="mono",
        column_s=0.1,
        envelope=envelope,
        spectrogram=np.zeros((4, 3_000), np.float32),
        max_hz=4000.0,
    )
    path = charts.envelope_path(exhibit, 300.0, 60.0)
    points = [tuple(map(float, pair.split())) for pair in re.findall(r"[\d.]+ [\d.]+", path)]
    highest = min(points, key=lambda point: point[1])
    assert highest[1] == pytest.approx(30 - 0.9 * 29, abs=0.1)
    assert highest[0] == pytest.approx(1_501 / 3_000 * charts.WIDTH, abs=2.0)


def test_patches_fill_the_picture_in_bands_of_equal_height():
    found = Attribution(
        fake_llr=1.0,
        falls=np.array([[0.1, -0.4, 0.0], [0.2, 0.05, 0.3]], np.float32),
        edges_hz=(0.0, 1000.0, 8000.0),
        edges_s=(0.0, 0.5, 1.0, 1.25),
        spectrogram=np.zeros((257, 10), np.float32),
    )
    strongest = charts.strongest_fall([found])
    patches = charts.attribution_patches(found, 500.0, 80.0, strongest)
    assert strongest == pytest.approx(0.4)
    assert [(p.x, p.y, p.width, p.height) for p in patches[:3]] == [
        (0.0, 40.0, 200.0, 40.0),
        (200.0, 40.0, 200.0, 40.0),
        (400.0, 40.0, 100.0, 40.0),
    ]
    assert {p.y for p in patches[3:]} == {0.0}
    assert [round(p.strength, 3) for p in patches] == [0.25, 1.0, 0.0, 0.5, 0.125, 0.75]
    assert [p.told for p in patches] == [False, True, False, True, False, True]


def test_a_judge_that_no_patch_moves_is_drawn_without_colour():
    assert charts.strongest_fall([]) == 0.0
    still = Attribution(
        fake_llr=0.0,
        falls=np.zeros((1, 1), np.float32),
        edges_hz=(0.0, 8000.0),
        edges_s=(0.0, 0.5),
        spectrogram=np.zeros((257, 10), np.float32),
    )
    (patch,) = charts.attribution_patches(still, 100.0, 10.0, 0.0)
    assert patch.strength == 0.0


def test_a_face_with_its_voice_has_a_lane_of_all_together():
    rows = [
        FusedEntry(start_s=0.0, end_s=1.0, channel="left", face_track=0, fake_llr=1.5),
        FusedEntry(start_s=0.0, end_s=1.0, channel="right", fake_llr=-1.0),
    ]

    (lane,) = charts.together_lanes(rows, 2.0)

    assert (lane.branch, lane.part) == ("all together", Part(channel="left", face_track=0))
    assert [(bar.start_s, bar.end_s, bar.fake_llr) for bar in lane.bars] == [(0.0, 1.0, 1.5)]


def test_evidence_is_marked_on_the_lane_it_is_of():
    lanes = charts.timeline_lanes([entry(0, 10, 1.0, "left"), entry(0, 10, 1.0, "right")], 40.0)
    seen = Evidence(
        start_s=10.0, end_s=20.0, branch="voice_clone", channel="right", fake_llr=1.0, text=""
    )
    left, right = (charts.lane_marks([seen], lane, 40.0) for lane in lanes)
    assert left == []
    assert [(mark.number, mark.x, mark.width) for mark in right] == [(1, 180.0, 180.0)]


def test_a_stretch_that_stands_out_is_framed_on_its_channel_alone():
    found = [
        SuspiciousSegment(branch="voice_clone", channel=name, start_s=10.0, end_s=20.0, score=0.8)
        for name in ("left", "right")
    ]
    face = SuspiciousSegment(
        branch="visual_forgery", face_track=0, start_s=1.0, end_s=2.0, score=0.8
    )
    (mark,) = charts.stretch_marks([face, *found], "left", 40.0)
    assert (mark.x, mark.width, mark.number) == (180.0, 180.0, 2)
