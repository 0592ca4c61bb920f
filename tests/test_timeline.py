"""Rows to a timeline a reader can use."""

import numpy as np
import pytest

from avdetect.branches.base import BranchOutput
from avdetect.calibration import Calibration
from avdetect.timeline import build_timeline, pick_evidence
from avdetect.types import Part

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


def test_a_clean_clip_has_no_evidence():
    outputs = {"voice_clone": {LEFT: [rows(0.0, [-1.0, -0.5])]}}
    assert pick_evidence(build_timeline(outputs, PLAIN, 1.0)) == ()
