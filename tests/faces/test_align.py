"""Crops are upright, centred and of one scale."""

import cv2
import numpy as np
import pytest

from avdetect.faces.align import (
    LEFT_EYE,
    OUTER_LIPS,
    RIGHT_EYE,
    align_face,
    align_mouth,
    face_transform,
    mouth_transform,
)


@pytest.fixture
def landmarks():
    """A plausible mesh: random points with eyes and lips where a face has them."""
    rng = np.random.default_rng(0)
    points = rng.uniform(80, 180, (478, 2))
    for ids, centre in ((LEFT_EYE, (100, 110)), (RIGHT_EYE, (160, 112)), (OUTER_LIPS, (131, 172))):
        points[list(ids)] = np.asarray(centre) + rng.uniform(-4, 4, (len(ids), 2))
    return points


def place(transform, points):
    return points @ transform[:, :2].T + transform[:, 2]


def test_eyes_and_mouth_come_to_their_places(landmarks):
    transform = face_transform(landmarks)
    for ids, target in ((LEFT_EYE, (83, 88)), (RIGHT_EYE, (141, 88)), (OUTER_LIPS, (112, 148))):
        assert place(transform, landmarks[list(ids)]).mean(0) == pytest.approx(target, abs=3.0)


@pytest.mark.parametrize("angle_deg", [0, 35, 90, 180])
@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_turning_and_scaling_the_picture_changes_nothing(landmarks, angle_deg, scale):
    turn = np.deg2rad(angle_deg)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = landmarks @ matrix.T + np.array([30.0, -12.0])
    np.testing.assert_allclose(
        place(face_transform(moved), moved), place(face_transform(landmarks), landmarks), atol=1e-6
    )


def test_a_mirrored_face_is_not_mirrored_back(landmarks):
    mirrored = landmarks * np.array([-1.0, 1.0])
    assert np.linalg.det(face_transform(mirrored)[:, :2]) > 0


def test_lips_lie_in_the_middle_of_the_mouth_crop(landmarks):
    lips = place(mouth_transform(landmarks), landmarks[list(OUTER_LIPS)]).mean(0)
    assert lips == pytest.approx((48.0, 48.0))


def test_shapes_and_types(landmarks):
    picture = np.full((300, 260, 3), 90, np.uint8)
    assert align_face(picture, landmarks).shape == (224, 224, 3)
    assert align_mouth(picture, landmarks).shape == (96, 96)
    assert align_mouth(picture, landmarks).dtype == np.uint8


def test_a_huge_face_is_shrunk_without_moire(landmarks):
    fine = np.indices((1200, 1040)).sum(0) % 2 * 255
    picture = np.repeat(fine[..., None], 3, 2).astype(np.uint8)
    crop = align_face(picture, landmarks * 4)
    assert cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).std() < 25
