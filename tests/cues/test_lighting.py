import math

import numpy as np
import pytest

from avdetect.cues.base import CueCurve
from avdetect.cues.lighting import CUE, ellipsoid_normals
from avdetect.cues.regions import FACE_OVAL
from tests.cues.portrait import feature, measured, mesh, read, seen


def lit(landmarks_lights, side=256, seed=0):
    """A picture of heads, each an ellipsoid of skin lit from its angle (degrees, 90 is above)."""
    rng = np.random.default_rng(seed)
    light = np.full((side, side), 0.2)
    for landmarks, angle_deg, strength in landmarks_lights:
        normals = ellipsoid_normals(landmarks[list(FACE_OVAL)], (0, 0, side, side))
        angle = math.radians(angle_deg)
        shade = 0.35 * (
            1.0 + strength * (math.cos(angle) * normals[..., 0] - math.sin(angle) * normals[..., 1])
        )
        inside = np.isfinite(shade)
        light[inside] = shade[inside]
    light = np.clip(light + 0.01 * rng.standard_normal(light.shape), 0.0, 1.0)
    grey = 255.0 * light ** (1 / 2.2)
    return np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("angle_deg", [0.0, 60.0, 90.0, 150.0, -120.0])
@pytest.mark.parametrize("width", [70.0, 130.0])
def test_the_direction_of_light_is_found(angle_deg, width):
    landmarks = mesh(width=width)
    told = measured(CUE, lit([(landmarks, angle_deg, 0.5)]), landmarks)
    away = (told.value - angle_deg + 180.0) % 360.0 - 180.0
    assert abs(away) < 8.0
    assert feature(CUE, told, "log_strength") == pytest.approx(math.log(0.5), abs=0.15)


def test_directions_are_named_for_people():
    landmarks = mesh()
    above = measured(CUE, lit([(landmarks, 90.0, 0.5)]), landmarks)
    assert above.text == "light falls on the face from above"
    right = measured(CUE, lit([(landmarks, 0.0, 0.5)]), landmarks)
    assert right.text == "light falls on the face from the picture's right"


def test_flat_light_has_no_direction():
    landmarks = mesh()
    told = measured(CUE, lit([(landmarks, 90.0, 0.0)]), landmarks)
    assert "flat" in told.missing


def test_two_faces_under_one_lamp_agree_and_under_two_do_not():
    left, right = mesh((70.0, 128.0), 90.0), mesh((186.0, 128.0), 90.0)
    name = "against_other_faces"
    for angle_deg, differs in ((45.0, False), (180.0, True)):
        picture = lit([(left, 45.0, 0.5), (right, angle_deg, 0.5)])
        told = read(CUE, seen([picture], [left], [right])).measurements()
        assert len(told) == 2
        assert (feature(CUE, told[0], name) > 0.3) is differs


def test_a_face_lit_otherwise_within_than_without_is_told():
    landmarks = mesh()
    whole = lit([(landmarks, 0.0, 0.5)])
    forged = whole.copy()
    normals = ellipsoid_normals(landmarks[list(FACE_OVAL)], (0, 0, 256, 256))
    inner = np.hypot(normals[..., 0], normals[..., 1]) < 0.55
    forged[inner] = lit([(landmarks, 180.0, 0.5)])[inner]
    name = "log_inner_against_outer"
    untouched, told = (measured(CUE, picture, landmarks) for picture in (whole, forged))
    assert feature(CUE, told, name) > feature(CUE, untouched, name) + 1.0


@pytest.mark.parametrize("angle_deg", [0.0, 180.0])
def test_a_neck_lit_from_the_other_side_is_told(angle_deg):
    landmarks = mesh((128.0, 110.0), 120.0)
    picture = lit([(landmarks, 0.0, 0.5)])
    x = (np.arange(256) - 128) / 40.0
    shade = 0.3 * (1.0 + 0.5 * math.cos(math.radians(angle_deg)) * x)
    neck = np.rint(255.0 * np.clip(shade, 0.0, 1.0) ** (1 / 2.2)).astype(np.uint8)
    picture[195:240, 88:168] = neck[88:168, None]
    told = measured(CUE, picture, landmarks)
    assert (feature(CUE, told, "log_against_neck") > math.log(0.25)) is (angle_deg == 180.0)


def test_a_lamp_that_wanders_shows_in_time():
    landmarks = mesh()
    steady = [lit([(landmarks, 40.0, 0.5)], seed=k) for k in range(6)]
    unsteady = [lit([(landmarks, 40.0 + 50 * k, 0.5)], seed=k) for k in range(6)]
    name = "log_unsteadiness"
    readings = [read(CUE, seen(pictures, [landmarks] * 6)) for pictures in (steady, unsteady)]
    calm, wandering = (reading.measurements()[0] for reading in readings)
    assert feature(CUE, wandering, name) > feature(CUE, calm, name) + 1.0
    (figure,) = readings[1].figures()
    assert isinstance(figure, CueCurve)
    assert figure.y[-1] - figure.y[0] == pytest.approx(250.0, abs=20.0)
