import numpy as np

from avdetect.faces.lips import LIP_POINTS, lip_points


def test_lip_points_do_not_depend_on_where_the_face_is():
    rng = np.random.default_rng(0)
    mesh = rng.uniform(50, 200, (1, 478, 2))
    turn = np.deg2rad(20)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    placed = 1.7 * mesh @ rotation.T + 31.0
    assert np.allclose(lip_points(mesh), lip_points(placed), atol=1e-4)
    assert lip_points(mesh).shape == (1, len(LIP_POINTS), 2)
