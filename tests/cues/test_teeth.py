import cv2
import numpy as np
import pytest

from avdetect.channels.picture_codecs import h264
from avdetect.cues.base import CuePicture
from avdetect.cues.regions import polygon
from avdetect.cues.teeth import CUE
from avdetect.faces.align import OUTER_LIPS
from avdetect.faces.lips import INNER_LIPS
from tests.cues.portrait import feature, measured, mesh, read, seen
from tests.cues.textures import texture

OPEN = mesh((160.0, 150.0), 200.0, gap=0.12)
_BOX = (0, 0, 320, 320)


def smiling(seed=0, teeth=True, sharp=True):
    """Lips around a dark mouth with a row of teeth that are 7 px wide."""
    picture = texture(320, 320, seed=seed, fall=1.6) // 2 + 60
    picture[polygon(OPEN, OUTER_LIPS, _BOX)] = (150, 70, 70)
    inside = polygon(OPEN, INNER_LIPS, _BOX)
    mouth = np.full_like(picture, (40, 15, 15))
    if teeth:
        y, x = np.mgrid[:320, :320]
        row = (y < 218) & (y > 200)
        mouth[row] = (215, 210, 195)
        mouth[row & (x % 7 == 0)] = (110, 95, 85)
    if not sharp:
        mouth = cv2.GaussianBlur(mouth, (0, 0), 2.5)
    picture[inside] = mouth[inside]
    rng = np.random.default_rng(seed)
    return np.clip(picture + 1.5 * rng.standard_normal(picture.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("coded", [lambda p: p, lambda p: h264(p, 18), lambda p: h264(p, 26)])
def test_teeth_drawn_as_a_blob_hold_less_detail_than_real_ones(coded):
    for seed in range(3):
        real = measured(CUE, coded(smiling(seed)), OPEN)
        blob = measured(CUE, coded(smiling(seed, sharp=False)), OPEN)
        name = "fine_detail_less_lips"
        assert feature(CUE, blob, name) < feature(CUE, real, name) - 0.7
        assert feature(CUE, blob, "upright_edges") < feature(CUE, real, "upright_edges") - 0.3


def test_absent_teeth_are_counted_as_none():
    with_teeth, without = (measured(CUE, smiling(teeth=t), OPEN) for t in (True, False))
    assert "0 % of it look like teeth" in without.text
    name = "log_teeth_share"
    assert feature(CUE, with_teeth, name) > feature(CUE, without, name) + 2.0


def test_a_closed_or_small_mouth_abstains():
    assert "open its mouth" in measured(CUE, smiling(), mesh((160.0, 150.0), 200.0)).missing
    small = mesh((160.0, 150.0), 60.0, gap=0.07)
    assert "mouth" in measured(CUE, smiling(), small).missing


def test_only_moments_with_an_open_mouth_count_and_the_widest_is_shown():
    closed = mesh((160.0, 150.0), 200.0)
    reading = read(CUE, seen([smiling(k) for k in range(3)], [closed, OPEN, closed]))
    (told,) = reading.measurements()
    assert (told.segment.start_s, told.segment.end_s) == (1.0, 1.0)
    (figure,) = reading.figures()
    assert isinstance(figure, CuePicture)
    assert figure.time_s == 1.0
    assert figure.pixels.shape[1] <= 320
