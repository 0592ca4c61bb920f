"""AP@IoU and AR@N against avdeepfake1m and against cases known by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from avdetect.types import Segment
from eval.metrics import Proposal, localisation

FILE = json.loads((Path(__file__).parents[1] / "golden" / "metrics_loc.json").read_text("utf-8"))
CASES = {case["name"]: case for case in FILE["cases"]}


def read(case):
    proposals = {
        name: [Proposal(sure, Segment(a / case["fps"], b / case["fps"])) for sure, a, b in rows]
        for name, rows in case["proposals"].items()
    }
    truth = {name: [Segment(*row) for row in rows] for name, rows in case["ground_truth"].items()}
    return proposals, truth


def figures(name, compat=None):
    case = CASES[name]
    lists = {"ap_ious": case["ap_iou"], "ar_counts": case["ar_n"], "ar_ious": case["ar_iou"]}
    return localisation(*read(case), **lists, compat=compat)


def one_clip(proposals, truth, **options):
    rows = [Proposal(sure, Segment(start, end)) for sure, start, end in proposals]
    return localisation({"a": rows}, {"a": [Segment(*row) for row in truth]}, **options)


@pytest.mark.parametrize("name", CASES)
def test_compat_equals_avdeepfake1m(name):
    official = CASES[name]["official"]
    if "error" in official:
        assert "PanicException" in official["error"]
        with pytest.raises(ValueError, match="has none"):
            figures(name, "avdeepfake1m")
        return
    ours = figures(name, "avdeepfake1m")
    assert {f"{iou:.2f}" for iou in ours.ap} == official["ap"].keys()
    for iou, value in ours.ap.items():
        expected = float(official["ap"][f"{iou:.2f}"])
        assert value == pytest.approx(expected, abs=1e-6, nan_ok=True)
    expected_ar = {int(n): value for n, value in official["ar"].items()}
    assert dict(ours.ar) == pytest.approx(expected_ar, abs=1e-6)


def test_every_official_case_is_asked():
    assert len(CASES) == len(FILE["cases"]) == 16
    assert sum("error" in case["official"] for case in CASES.values()) == 2


@pytest.mark.parametrize(
    ("name", "ap", "ar"),
    [
        ("single_perfect", 1.0, 1.0),
        ("two_perfect", 1.0, 1.0),
        ("perfect_after_fp", 0.5, 1.0),
        ("duplicates", 0.75, 1.0),
        ("all_miss", 0.0, 0.0),
        ("empty_proposals_one_video", 0.5, 0.5),
        ("missing_video_key", 0.5, 0.5),
    ],
)
def test_default_counts_every_recall_step_and_clips_without_proposals(name, ap, ar):
    ours = figures(name)
    assert list(ours.ap.values()) == pytest.approx([ap] * 4)
    assert list(ours.ar.values()) == pytest.approx([ar] * 5)
    assert ours.challenge_score == pytest.approx((ap + ar) / 2.0)


def test_default_iou_reaches_its_threshold():
    ours = figures("iou_exactly_0.5")
    assert ours.ap[0.5] == 1.0
    assert ours.ap[0.75] == figures("iou_exactly_0.5", "avdeepfake1m").ap[0.75] == 0.25


def test_default_does_not_depend_on_how_a_file_is_sorted():
    proposals, truth = read(CASES["random_unsorted"])
    rng = np.random.default_rng(0)
    shuffled = {
        name: [rows[i] for i in rng.permutation(len(rows))] for name, rows in proposals.items()
    }
    assert localisation(shuffled, truth) == localisation(proposals, truth)
    official = localisation(proposals, truth, compat="avdeepfake1m")
    assert localisation(shuffled, truth, compat="avdeepfake1m") != official


def test_equal_confidences_move_together_across_clips():
    truth = {"a": [Segment(0, 1)], "b": [Segment(0, 1)]}
    hit, miss = Proposal(0.5, Segment(0, 1)), Proposal(0.5, Segment(5, 6))
    for clips in ({"a": [hit], "b": [miss]}, {"a": [miss], "b": [hit]}):
        assert localisation(clips, truth).ap[0.5] == pytest.approx(0.5 * 0.5)


def test_a_segment_is_found_once_and_by_its_best_proposal():
    # The surer proposal overlaps both segments, the second one better: both are found.
    ours = one_clip([(0.9, 1.0, 3.0), (0.8, 0.0, 1.6)], [(0.0, 1.5), (1.2, 3.0)])
    assert ours.ap[0.5] == 1.0
    assert one_clip([(0.9, 0.0, 1.0), (0.8, 0.0, 1.0)], [(0.0, 1.0), (5.0, 6.0)]).ap[0.5] == 0.5


def test_precision_is_made_monotone():
    # Hit, miss, miss, hit: precision 1 up to recall 1/2, then 2/4 for the rest.
    rows = [(0.9, 0, 1), (0.8, 20, 21), (0.7, 30, 31), (0.6, 5, 6)]
    assert one_clip(rows, [(0, 1), (5, 6)]).ap[0.5] == pytest.approx(0.5 * 1.0 + 0.5 * 0.5)
    # Miss, hit, hit: precision 1/2, then 2/3, which also holds at the lower recall.
    rows = [(0.9, 20, 21), (0.8, 0, 1), (0.7, 5, 6)]
    assert one_clip(rows, [(0, 1), (5, 6)]).ap[0.5] == pytest.approx(2.0 / 3.0)


def test_recall_counts_the_surest_proposals_only():
    rows = [(0.1, 0, 1), *((0.9, 10 + n, 11 + n) for n in range(5))]
    ours = one_clip(rows, [(0, 1)])
    assert (ours.ar[5], ours.ar[10]) == (0.0, 1.0)
    assert one_clip(rows, [(0, 1)], compat="avdeepfake1m").ar[5] == 1.0


def test_nothing_proposed_finds_nothing():
    ours = localisation({}, {"a": [Segment(0, 1)]})
    assert set(ours.ap.values()) | set(ours.ar.values()) == {0.0}


def test_what_is_not_defined_is_refused():
    with pytest.raises(ValueError, match="no clip holds a forged segment"):
        figures("all_real")
    with pytest.raises(ValueError, match="proposals but no truth, such as b"):
        localisation({"b": []}, {"a": [Segment(0, 1)]})
    with pytest.raises(ValueError, match="NaN"):
        Proposal(math.nan, Segment(0, 1))
