import cv2
import numpy as np

from avdetect.cues.base import CuePicture
from avdetect.cues.cooccurrence import CUE
from tests.cues.portrait import feature, measured, mesh, read, seen
from tests.cues.textures import softened, texture


def with_colour_noise(shared, seed=0):
    """A grey texture with noise in both colour differences, of which ``shared`` is common."""
    rng = np.random.default_rng(seed)
    coded = np.zeros((256, 256, 3), np.float32)
    coded[..., 0] = texture(seed=seed)[..., 0] * 0.5 + 60
    common, *own = rng.standard_normal((3, 256, 256)) * 8.0
    for k in (0, 1):
        mixed = shared**0.5 * common + (1 - shared) ** 0.5 * own[k]
        coded[..., 1 + k] = 128 + mixed
    return cv2.cvtColor(np.clip(np.rint(coded), 0, 255).astype(np.uint8), cv2.COLOR_YCrCb2RGB)


def test_noise_common_to_both_colours_is_information_they_share():
    apart, joined = (measured(CUE, with_colour_noise(s), mesh()) for s in (0.0, 0.9))
    assert joined.value > 3 * apart.value
    name = "log10_bits_blue_red"
    assert feature(CUE, joined, name) > feature(CUE, apart, name) + 0.4


def test_a_smoothed_face_has_more_empty_residuals_and_neighbours_that_tell_more_of_each_other():
    sharp, smooth = (measured(CUE, p, mesh()) for p in (texture(), softened(texture(), 0.4)))
    assert feature(CUE, smooth, "logit_zero_luma") > feature(CUE, sharp, "logit_zero_luma") + 0.5


def test_white_noise_and_flat_pictures_stay_finite():
    rng = np.random.default_rng(0)
    for picture in (
        rng.integers(0, 256, (256, 256, 3), np.uint8),
        np.full((256, 256, 3), 120, np.uint8),
    ):
        assert np.isfinite(measured(CUE, picture, mesh()).features).all()


def test_a_small_face_abstains_and_a_large_one_shows_its_matrices():
    assert "64 px needed" in measured(CUE, texture(), mesh(width=55.0)).missing
    (figure,) = read(CUE, seen([texture()], [mesh()])).figures()
    assert isinstance(figure, CuePicture)
    assert not figure.shows_person
