import numpy as np
import pytest

from recipes.forge.faces import KINDS, forge
from tests.recipes.forge.drawn_faces import drawn_material


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_touched_outside_the_mask(kind):
    for seed in range(6):
        twins = forge(kind, drawn_material(seed), np.random.default_rng(seed))

        assert np.array_equal(twins.fake[twins.mask == 0], twins.real[twins.mask == 0])


@pytest.mark.parametrize("kind", KINDS)
def test_something_is_changed_inside_the_mask(kind):
    for seed in range(6):
        twins = forge(kind, drawn_material(seed), np.random.default_rng(seed))

        assert 0.0 <= twins.mask.min() <= twins.mask.max() <= 1.0
        assert twins.mask.dtype == np.float32
        assert (twins.fake != twins.real).any()


def test_real_twin_is_the_picture_itself():
    material = drawn_material()
    before = material.face.picture.copy()

    twins = forge("lip_box", material, np.random.default_rng(3))

    assert np.array_equal(twins.real, before)


def test_same_chance_same_forgery():
    first, second = (
        forge("self_blend", drawn_material(), np.random.default_rng(5)) for _ in range(2)
    )

    assert np.array_equal(first.fake, second.fake)


def test_lip_box_loses_the_finest_detail():
    lost = []
    for seed in range(8):
        twins = forge("lip_box", drawn_material(seed), np.random.default_rng(seed))
        inside = twins.mask[1:, :] > 0.99
        fine = [np.abs(np.diff(p.astype(float).mean(-1), axis=0))[inside].mean() for p in
                (twins.real, twins.fake)]  # fmt: skip
        lost.append(fine[1] / fine[0])

    assert np.median(lost) < 0.7
