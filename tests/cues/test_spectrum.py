import cv2
import numpy as np
import pytest

from avdetect.channels.picture_codecs import h264, jpeg
from avdetect.cues.base import CueCurve
from avdetect.cues.regions import luma
from avdetect.cues.spectrum import CUE, azimuthal_mean, copies, mean_log_power
from tests.cues.portrait import feature, measured, mesh, read, seen
from tests.cues.textures import softened, texture


def doubled(picture):
    """Up-sampled by two as a transposed convolution does: zeros between, then a short filter."""
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    spaced = np.zeros(picture.shape, np.float32)
    spaced[::2, ::2] = 4.0 * small
    # Taps that overlap unevenly, as those of a trained network do: a faint checkerboard.
    kernel = np.outer([0.25, 0.55, 0.2], [0.25, 0.55, 0.2])
    enlarged = cv2.filter2D(spaced, -1, kernel, borderType=cv2.BORDER_REFLECT)
    return np.clip(np.rint(enlarged), 0, 255).astype(np.uint8)


def test_a_cosine_stands_in_the_ring_of_its_frequency():
    x = np.arange(128)
    plane = (128 + 40 * np.cos(2 * np.pi * 0.25 * x))[None].repeat(128, 0).astype(np.float32)
    rings = azimuthal_mean(mean_log_power(plane))
    assert int(rings.argmax()) in (14, 15, 16)  # 0.25 cycles a pixel is the 16th of 32 rings


@pytest.mark.parametrize("coded", [lambda p: p, lambda p: jpeg(p, 90), lambda p: h264(p, 18)])
def test_up_sampling_of_a_generator_leaves_peaks(coded):
    for seed in range(3):
        picture = texture(seed=seed)
        untouched = copies(mean_log_power(luma(coded(picture))))
        generated = copies(mean_log_power(luma(coded(doubled(picture)))))
        assert max(generated) > max(untouched) + 0.5


def test_a_smoothed_face_misses_the_fine_end_of_its_spectrum():
    landmarks, picture = mesh(), texture()
    sharp = measured(CUE, picture, landmarks)
    smooth = measured(CUE, softened(picture, 0.5), landmarks)
    assert smooth.value < sharp.value - 3.0
    assert feature(CUE, smooth, "tail_off_slope") < feature(CUE, sharp, "tail_off_slope") - 0.7


def test_only_the_face_being_smoothed_shows_against_the_whole_picture():
    landmarks, picture = mesh(), texture()
    forged = picture.copy()
    forged[40:216, 60:196] = softened(picture, 0.4)[40:216, 60:196]
    name = "tail_less_whole_tail"
    untouched, smooth = (measured(CUE, p, landmarks) for p in (picture, forged))
    assert feature(CUE, smooth, name) < feature(CUE, untouched, name) - 0.2


def test_a_face_smaller_than_a_tile_abstains():
    assert "64 px needed" in measured(CUE, texture(), mesh(width=55.0)).missing


def test_the_curve_has_the_frequencies_of_a_pixel_grid():
    (figure,) = read(CUE, seen([texture()], [mesh()])).figures()
    assert isinstance(figure, CueCurve)
    assert figure.x[-1] == pytest.approx(0.5)
    assert np.isfinite(figure.y).all()
