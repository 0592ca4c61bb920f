"""Known movements of head and lips come out as coupled or not, with their lag."""

import numpy as np
import pytest

from avdetect.cues.head_lips import CUE, LEAST_S
from avdetect.cues.head_pose import POSE, head_pose, head_speed
from tests.cues.meshes import face_window, observations, read, still_meshes


def syllables(n, seed=0):
    rng = np.random.default_rng(seed)
    return np.convolve(rng.uniform(0, 1, n + 8), np.hanning(9) / np.hanning(9).sum(), "valid")[:n]


def talking(seconds, *, nod_lag=None, seed=0, lips=12.0):
    """Lips that open, and a nose that nods with them ``nod_lag`` pictures later, or alone."""
    n = round(25 * seconds)
    opening = syllables(n + 20, seed)
    meshes = still_meshes(n)
    meshes[:, 14, 1] += lips * opening[10:-10]
    nod = syllables(n, seed + 100) if nod_lag is None else opening[10 - nod_lag :][:n]
    meshes[:, 1, 1] += 8.0 * nod
    return meshes + np.random.default_rng(seed).normal(0, 0.1, meshes.shape)


def found(meshes):
    reading = read(CUE, observations(face_window(meshes)))
    (measurement,) = reading.measurements()
    return measurement, reading


@pytest.mark.parametrize("lag", [-5, 0, 3])
def test_a_nod_that_follows_the_lips_is_found_with_its_lag(lag):
    measurement, reading = found(talking(12.0, nod_lag=lag))
    assert measurement.features[0] > 0.9
    (curve,) = reading.figures()
    assert curve.marks == pytest.approx((lag / 25,), abs=0.021)


def test_a_head_that_moves_on_its_own_couples_less():
    coupled, _ = found(talking(12.0, nod_lag=2))
    alone, _ = found(talking(12.0, nod_lag=None))
    assert alone.features[0] < coupled.features[0] - 0.3
    assert alone.features[1] < coupled.features[1]


def test_how_long_the_clip_is_hardly_counts():
    short, _ = found(talking(8.0, nod_lag=None))
    long, _ = found(talking(40.0, nod_lag=None))
    assert short.features[0] == pytest.approx(long.features[0], abs=0.25)


def test_lips_that_hardly_move_abstain():
    measurement, reading = found(talking(8.0, nod_lag=1, lips=0.0))
    assert measurement.missing is not None and "hardly move" in measurement.missing
    assert reading.figures() == []


def test_a_short_clip_abstains():
    measurement, _ = found(talking(LEAST_S - 1.0, nod_lag=0))
    assert measurement.missing is not None and "needed" in measurement.missing


def test_the_pose_follows_the_head():
    meshes = still_meshes(5)
    turn = np.deg2rad(10)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    meshes[1] += (12.0, -4.0)
    meshes[2] = (meshes[2] - 130.0) * 2.0 + 130.0
    meshes[3] = (meshes[3] - 130.0) @ rotation.T + 130.0
    meshes[4, 1] += (9.0, 0.0)
    pose = dict(zip(POSE, (head_pose(meshes) - head_pose(meshes[:1])).T, strict=True))
    assert (pose["right"][1], pose["down"][1]) == pytest.approx((12.0, -4.0))
    assert pose["log_size"][2] == pytest.approx(np.log(2.0))
    assert pose["roll"][3] == pytest.approx(turn)
    assert pose["yaw"][4] == pytest.approx(9.0 / 90.0)
    assert pose["yaw"][3] == pytest.approx(0.0, abs=1e-9)


def test_speed_does_not_depend_on_the_size_of_the_picture():
    meshes = talking(4.0, nod_lag=0)
    assert head_speed(head_pose(3.0 * meshes)) == pytest.approx(head_speed(head_pose(meshes)))
