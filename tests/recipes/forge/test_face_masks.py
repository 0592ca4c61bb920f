import numpy as np
import pytest

from avdetect.faces.align import OUTER_LIPS
from recipes.forge.face_masks import REGIONS, face_box, region_mask
from tests.recipes.forge.drawn_faces import drawn_face


@pytest.mark.parametrize("region", REGIONS)
def test_masks_stay_between_nothing_and_all(region):
    for seed in range(5):
        mask = region_mask(drawn_face().landmarks, region, np.random.default_rng(seed), 256)

        assert mask.shape == (256, 256)
        assert mask.min() == 0.0
        assert 0.0 < mask.max() <= 1.0


def test_mouth_mask_is_about_the_mouth():
    landmarks = drawn_face().landmarks
    mask = region_mask(landmarks, "mouth", np.random.default_rng(1), 256)
    rows, columns = np.nonzero(mask > 0.5)

    centre = np.array([columns.mean(), rows.mean()])
    assert np.linalg.norm(centre - landmarks[list(OUTER_LIPS)].mean(0)) < 12


def test_lower_mask_spares_the_eyes():
    mask = region_mask(drawn_face().landmarks, "lower", np.random.default_rng(2), 256)

    assert mask[: int(0.42 * 256)].sum() < 0.05 * mask.sum()


def test_face_box_holds_most_of_the_mesh_within_the_picture():
    landmarks = drawn_face().landmarks
    for seed in range(5):
        left, top, right, bottom = face_box(landmarks, np.random.default_rng(seed), 256)

        inside = (landmarks >= (left, top)).all(1) & (landmarks <= (right, bottom)).all(1)
        assert 0 <= left < right <= 256
        assert 0 <= top < bottom <= 256
        assert inside.mean() > 0.8
