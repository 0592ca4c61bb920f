"""Scores of frames to stretches: found where they rise, once, and never out of silence."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.branches.base import BranchOutput, FrameScores
from avdetect.localise import find_stretches, placed, shown_stretches, suspicious_segments
from avdetect.types import Part

LEFT = Part(channel="left")


def frames(
    *forged: tuple[float, float], start_s: float = 0.0, seconds: float = 4.0, seed: int = 0
) -> FrameScores:
    """Scores of an observation: about -3, and about 3 in what is forged (clip's clock)."""
    starts = start_s + 0.02 * np.arange(round(seconds / 0.02))
    scores = np.random.default_rng(seed).normal(-3.0, 1.0, len(starts))
    for begin, end in forged:
        scores[(starts >= begin) & (starts < end)] += 6.0
    return FrameScores(
        segments=np.stack([starts, starts + 0.02], 1),
        scores=scores.astype(np.float32),
        weights=np.ones(len(starts), np.float32),
    )


def output(found: FrameScores | None) -> BranchOutput:
    return BranchOutput(
        part=LEFT,
        segments=np.array([[0.0, 0.5]]),
        scores=np.zeros(1, np.float32),
        tokens=np.zeros((1, 2), np.float32),
        weights=np.ones(1, np.float32),
        frames=found,
    )


def test_a_forged_word_is_found_to_a_tenth_of_a_second():
    best, *others = find_stretches([frames((1.5, 2.5))])
    assert best.segment.start_s == pytest.approx(1.5, abs=0.1)
    assert best.segment.end_s == pytest.approx(2.5, abs=0.1)
    assert best.score > 0.9
    assert all(other.score < 0.5 for other in others)


@pytest.mark.parametrize("forged", [(0.0, 4.0), (0.5, 3.6)])
def test_what_fills_most_of_a_clip_does_not_stand_out_of_it(forged):
    assert shown_stretches([frames(forged)]) == []


def test_overlapping_observations_are_one_curve():
    calls = [frames((3.2, 4.2), start_s=start, seed=seed) for seed, start in enumerate((0.0, 3.0))]
    best, *others = find_stretches(calls)
    assert best.segment.start_s == pytest.approx(3.2, abs=0.1)
    assert best.segment.end_s == pytest.approx(4.2, abs=0.1)
    assert all(other.score < 0.5 for other in others)


def test_a_short_dip_does_not_part_a_stretch_and_a_long_gap_does():
    bridged = [s for s in find_stretches([frames((1.0, 1.6), (1.7, 2.3))]) if s.score > 0.5]
    assert len(bridged) == 1
    assert bridged[0].segment.duration_s == pytest.approx(1.3, abs=0.15)
    parted = [s for s in find_stretches([frames((0.6, 1.4), (2.4, 3.2))]) if s.score > 0.5]
    assert len(parted) == 2


def test_no_moment_is_shown_twice():
    call = [frames((1.0, 1.5), (1.8, 3.6))]
    shown = [s.segment for s in shown_stretches(call)]
    assert len(find_stretches(call)) > len(shown) > 0
    assert all(a.overlap(b) is None for a in shown for b in shown if a != b)


def test_a_call_without_forgery_shows_nothing():
    found = {"voice_clone": {LEFT: [output(frames(start_s=3.0 * k, seed=k)) for k in range(4)]}}
    assert suspicious_segments(found) == ()


def test_what_is_scored_high_in_silence_is_not_shown():
    loud = frames((1.0, 2.0))
    silent = FrameScores(
        segments=loud.segments,
        scores=loud.scores,
        weights=np.where((loud.segments[:, 0] > 1.1) & (loud.segments[:, 0] < 1.9), 0, 1).astype(
            np.float32
        ),
    )
    assert find_stretches([loud])[0].score > find_stretches([silent])[0].score


def test_times_are_the_clips_own_also_past_observations_without_frames():
    found = {"voice_clone": {LEFT: [output(frames(start_s=60.0)), output(None)]}}
    found["voice_clone"][LEFT].append(output(frames((90.5, 91.5), start_s=90.0)))
    (shown,) = suspicious_segments(found)
    assert (shown.branch, shown.channel, shown.face_track) == ("voice_clone", "left", None)
    assert shown.start_s == pytest.approx(90.5, abs=0.1)
    assert shown.end_s == pytest.approx(91.5, abs=0.1)


def test_a_model_without_frames_shows_nothing():
    assert suspicious_segments({"voice_clone": {LEFT: [output(None)]}}) == ()
    assert find_stretches([]) == []


def test_a_clip_forged_throughout_is_one_stretch():
    best, *others = find_stretches([frames((0.0, 4.0))])
    assert (best.segment.start_s, best.segment.end_s) == pytest.approx((0.0, 4.0))
    assert all(other.score < 0.5 for other in others)


def seconds_of_a_face(forged: tuple[float, float] | None, level: float, n: int = 40) -> FrameScores:
    """Five rows a second about ``level``, two deviations of them higher where forged."""
    starts = 0.2 * np.arange(n)
    scores = np.random.default_rng(3).normal(level, 1.0, n)
    if forged is not None:
        scores[(starts >= forged[0]) & (starts < forged[1])] += 6.0
    return FrameScores(
        segments=np.stack([starts, starts + 0.2], 1),
        scores=scores.astype(np.float32),
        weights=np.ones(n, np.float32),
        relative=True,
    )


@pytest.mark.parametrize("level", [-8.0, 0.0, 8.0])
def test_a_forged_second_of_a_face_stands_out_whatever_the_recording(level):
    [shown] = shown_stretches([seconds_of_a_face((3.0, 4.2), level)])
    assert shown.segment.start_s == pytest.approx(3.0, abs=0.2)
    assert shown.segment.end_s == pytest.approx(4.2, abs=0.2)
    assert shown_stretches([seconds_of_a_face(None, level)]) == []
    assert shown_stretches([seconds_of_a_face((0.0, 8.0), level)]) == []  # forged all through


def test_nothing_stands_out_of_a_clip_too_short_to_have_a_rest():
    assert find_stretches([seconds_of_a_face((1.0, 2.0), 0.0, n=14)]) == []


def test_rows_of_a_face_become_frames_of_20_ms_and_speech_stays_as_it_is():
    face = placed([seconds_of_a_face((3.0, 4.2), 0.0)])
    assert len(face.scores) == 400
    assert np.unique(face.scores[150:160]).size == 1
    speech = frames((1.0, 2.0))
    np.testing.assert_array_equal(placed([speech]).scores, speech.scores)
    np.testing.assert_allclose(placed([speech]).segments, speech.segments)
