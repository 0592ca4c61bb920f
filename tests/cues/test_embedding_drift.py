"""A face that stays itself drifts little; one that is drawn anew each time drifts much."""

import numpy as np
import pytest

from avdetect.branches.base import BranchOutput
from avdetect.cues.embedding_drift import CUE
from avdetect.types import Part
from tests.cues.meshes import face_window, observations, read, still_meshes

FACE = Part(face_track=0)


def rows(observation, tokens_at, maps_at=None):
    """What the visual branch would say of the fresh part of an observation, 5 times a second."""
    ticks = np.arange(round(observation.fresh.start_s * 25), round(observation.fresh.end_s * 25))
    start_s = ticks[ticks % 5 == 0] / 25
    tokens = np.stack([tokens_at(moment) for moment in start_s.tolist()]).astype(np.float32)
    return BranchOutput(
        part=FACE,
        segments=np.stack([start_s, start_s + 0.2], 1),
        scores=np.zeros(len(start_s), np.float32),
        tokens=tokens,
        weights=np.ones(len(start_s), np.float32),
        maps=None if maps_at is None else np.stack([maps_at(m) for m in start_s]),
    )


def reading_of(tokens_at, seconds=8.0):
    seen = observations(face_window(still_meshes(round(25 * seconds))))
    outputs = [{"visual_forgery": [rows(each, tokens_at)]} for each in seen]
    return read(CUE, seen, outputs)


def looks(noise, drift=0.0):
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((2, 64))

    def at(moment):
        return first + drift * moment * second + noise * rng.standard_normal(64)

    return at


def test_a_face_that_stays_itself_does_not_drift():
    (found,) = reading_of(looks(0.0)).measurements()
    assert found.value == pytest.approx(0.0, abs=1e-6)


def test_steps_are_the_distance_of_the_embeddings():
    (little,) = reading_of(looks(0.1)).measurements()
    (much,) = reading_of(looks(1.0)).measurements()
    # Of two vectors with unit signal and noise of deviation s, the cosine is near 1 / (1 + s^2).
    assert little.value == pytest.approx(1 - 1 / 1.01, rel=0.35)
    assert much.value == pytest.approx(0.5, abs=0.12)
    assert much.features[0] > little.features[0] + 1.0


def test_a_slow_change_is_told_from_restlessness():
    (slow,) = reading_of(looks(0.02, drift=0.1)).measurements()
    (restless,) = reading_of(looks(0.3)).measurements()
    assert slow.features[1] > 0.8 > abs(restless.features[1]) + 0.5


def test_what_is_seen_twice_is_remembered_once():
    (curve,) = reading_of(looks(0.1), seconds=12.0).figures()
    assert np.all(np.diff(curve.x) > 0) and len(curve.x) == 59


def test_without_the_branch_the_cue_abstains_and_says_so():
    seen = observations(face_window(still_meshes(100)))
    (found,) = read(CUE, seen).measurements()
    assert found.missing is not None and "visual-forgery" in found.missing


def test_the_branchs_own_reason_is_passed_on():
    seen = observations(face_window(still_meshes(100)))
    absent = BranchOutput.absent(FACE, "face 0 is 20 px large, 48 px needed", 64)
    (found,) = read(CUE, seen, [{"visual_forgery": [absent]}] * len(seen)).measurements()
    assert found.missing == "face 0 is 20 px large, 48 px needed"


def test_a_short_clip_abstains():
    (found,) = reading_of(looks(0.1), seconds=1.0).measurements()
    assert found.missing is not None and "judged 5 times" in found.missing
