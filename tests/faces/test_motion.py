import numpy as np

from avdetect.faces.motion import MOTION_WIDTH, face_motion
from tests.recipes.forge.drawn_faces import drawn_mesh

MESH = drawn_mesh(np.random.default_rng(0))


def turned(angle, scale=1.0, shift=(0.0, 0.0)):
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return MESH @ matrix.T * scale + np.array(shift)


def test_a_face_that_moves_as_a_whole_changes_its_pose_only():
    motion = face_motion(np.stack([MESH, turned(0.2, 2.0, (40.0, -10.0))]))

    assert motion.shape == (2, MOTION_WIDTH)
    assert motion.dtype == np.float32
    assert np.allclose(motion[0, :-4], motion[1, :-4], atol=1e-4)
    assert np.allclose(motion[0, -4:], 0.0)
    assert np.allclose(motion[1, -2:], [1.0, 0.2], atol=1e-5)  # doubled, turned


def test_the_size_of_the_picture_does_not_count():
    moved = np.stack([MESH, MESH + np.array([12.0, 0.0])])

    assert np.allclose(face_motion(moved), face_motion(moved * 4.0), atol=1e-4)


def test_a_mouth_that_opens_changes_the_shape_only():
    opened = MESH.copy()
    opened[14, 1] += 10.0

    change = np.diff(face_motion(np.stack([MESH, opened])), axis=0)[0]

    assert np.abs(change[:-4]).max() > 0.02
    assert np.abs(change[-4:]).max() < 0.005


def test_a_mesh_of_one_point_gives_numbers():
    assert np.isfinite(face_motion(np.zeros((3, 478, 2)))).all()
