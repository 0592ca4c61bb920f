"""A driven picture lies where the other mesh does, and rests where there is no head."""

import cv2
import numpy as np
import pytest

from recipes.forge.retouching import drive
from tests.recipes.forge.drawn_faces import drawn_mesh

SIDE = 256


def dot_at(x, y):
    picture = np.full((SIDE, SIDE, 3), 90, np.uint8)
    cv2.circle(picture, (x, y), 4, (250, 250, 250), -1)
    return picture


def centre_of_light(picture):
    weight = picture[..., 0].astype(np.float64) - 90.0
    y, x = np.mgrid[:SIDE, :SIDE]
    return (weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()


@pytest.mark.parametrize("shift", [(6.0, 0.0), (-4.0, 5.0)])
def test_the_face_follows_the_mesh(shift):
    mesh = drawn_mesh(np.random.default_rng(0))

    moved = drive(dot_at(128, 140), mesh, mesh + np.float32(shift), np.random.default_rng(0))

    x, y = centre_of_light(moved)
    assert (x, y) == pytest.approx((128 + shift[0], 140 + shift[1]), abs=1.0)


def test_the_same_mesh_leaves_the_picture():
    mesh = drawn_mesh(np.random.default_rng(0))
    picture = dot_at(128, 140)

    assert np.array_equal(drive(picture, mesh, mesh, np.random.default_rng(0)), picture)


def test_ground_far_from_the_head_moves_less():
    mesh = (drawn_mesh(np.random.default_rng(0)) - 128) * 0.3 + (70, 190)
    mesh = mesh.astype(np.float32)
    shift = np.float32((8.0, 0.0))

    near, far = (
        centre_of_light(drive(dot_at(*at), mesh, mesh + shift, np.random.default_rng(0)))[0] - at[0]
        for at in ((70, 190), (240, 20))
    )

    assert near == pytest.approx(8.0, abs=1.0)
    assert far < 4.0
