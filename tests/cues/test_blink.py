"""Blinks are counted exactly where they are known, and not made out of other movements."""

import numpy as np
import pytest

from avdetect.cues.blink import CUE, LEAST_S, eye_aspect_ratios
from eval.cues.made.blink import blink_times, blinking, found_exactly
from tests.cues.meshes import face_window, observations, read

EYES = ((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380))


def face_of(openness, **options):
    """A face whose two eyes are as open as told, (T, 2)."""
    meshes = np.zeros((len(openness), 478, 2))
    meshes[:] = np.random.default_rng(0).uniform(60, 200, (478, 2))
    for eye, x, ids in zip((0, 1), (100.0, 160.0), EYES, strict=True):
        corner, upper, upper2, corner2, lower2, lower = ids
        half = 12.0 * openness[:, eye]
        for index, offset in ((corner, -12), (corner2, 12), (upper, -5), (lower, -5)):
            meshes[:, index] = (x + offset, 110.0)
        meshes[:, upper2], meshes[:, lower2] = (x + 5, 110.0), (x + 5, 110.0)
        meshes[:, [upper, upper2], 1] = (110.0 - half)[:, None]
        meshes[:, [lower, lower2], 1] = (110.0 + half)[:, None]
    return face_window(meshes, **options)


def eyes(seconds=12.0, level=0.3):
    trembling = np.random.default_rng(1).normal(0, 0.004, (round(25 * seconds), 2))
    return level + trembling


def closing(openness, at_s, lasting_s, depth=0.9, eye=slice(None)):
    first, end = round(25 * at_s), round(25 * (at_s + lasting_s))
    openness[first:end, eye] *= 1.0 - depth
    return openness


def marks(reading):
    return reading.figures()[0].marks


@pytest.mark.parametrize("seed", range(12))
def test_known_blinks_are_counted_on_uneven_repeated_and_missing_pictures(seed):
    rng = np.random.default_rng((7, seed))
    seconds = float(rng.uniform(8.0, 30.0))
    known = blink_times(seconds, rng)
    reading = read(CUE, blinking(seconds, known, rng))
    assert found_exactly(reading, known)
    (found,) = reading.measurements()
    assert found.value == pytest.approx(60.0 * len(known) / seconds, rel=0.08, abs=0.01)


def test_the_baseline_is_the_faces_own():
    narrow = closing(eyes(level=0.13), 5.0, 0.2)
    assert len(marks(read(CUE, observations(face_of(narrow))))) == 1


def test_a_wink_is_no_blink():
    winking = closing(eyes(), 5.0, 0.2, eye=0)
    assert marks(read(CUE, observations(face_of(winking)))) == ()


def test_eyes_that_stay_shut_or_look_down_do_not_blink():
    shut = closing(closing(eyes(), 3.0, 1.5), 8.0, 1.2, depth=0.5)
    assert marks(read(CUE, observations(face_of(shut)))) == ()


def test_eyes_that_never_close_are_measured_as_such():
    (found,) = read(CUE, observations(face_of(eyes()))).measurements()
    assert found.value == 0.0
    assert found.features[1] < 0.1
    assert "0 blinks in 12 s" in found.text


def test_half_blinks_are_less_complete():
    def deepest(depth):
        face = face_of(closing(closing(eyes(), 4.0, 0.2, depth), 8.0, 0.2, depth))
        return read(CUE, observations(face)).measurements()[0].features[1]

    assert deepest(0.45) == pytest.approx(0.45, abs=0.06)
    assert deepest(0.9) == pytest.approx(0.9, abs=0.06)


def test_a_short_clip_abstains_and_says_how_long_it_must_be():
    (found,) = read(CUE, observations(face_of(eyes(LEAST_S - 1.0)))).measurements()
    assert found.missing is not None and f"{LEAST_S:.0f} s needed" in found.missing
    assert found.features == ()


def test_a_turned_face_abstains():
    (found,) = read(CUE, observations(face_of(eyes(), yaw_deg=75.0))).measurements()
    assert found.missing is not None and "turned" in found.missing


def test_a_slide_show_abstains():
    seldom = face_of(eyes(12.0))
    kept = slice(None, None, 5)  # five pictures a second
    arrays = {
        name: getattr(seldom, name)[kept]
        for name in ("frame_index", "frame_s", "faces", "mouths", "boxes")
    }
    slides = face_window(seldom.landmarks[kept], **arrays)
    (found,) = read(CUE, observations(slides)).measurements()
    assert found.missing is not None


def test_the_ratio_does_not_depend_on_the_faces_place_size_and_turn():
    face = face_of(eyes(1.0))
    turn = np.deg2rad(25)
    matrix = 2.3 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = face.landmarks @ matrix.T + 40.0
    assert eye_aspect_ratios(moved) == pytest.approx(eye_aspect_ratios(face.landmarks), abs=1e-4)
