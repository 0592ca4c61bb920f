import numpy as np
import pytest

from recipes.forge.retouching import Face
from recipes.forge.tracks import COURSES, TRACK_KINDS, code_twins, forge_track
from tests.recipes.forge.drawn_faces import drawn_face

N = 6


def still_track():
    """One picture six times: what changes from frame to frame is the forgery alone."""
    return [drawn_face(3)] * N


def change_over_time(pictures):
    return float(np.abs(np.diff(pictures.astype(float), axis=0)).mean())


@pytest.mark.parametrize("kind", TRACK_KINDS)
@pytest.mark.parametrize("course", COURSES)
def test_every_frame_is_forged_and_the_draws_are_repeatable(kind, course):
    track = still_track()

    forged = forge_track(kind, course, track, np.random.default_rng(1))

    assert forged.shape == (N, 256, 256, 3)
    assert forged.dtype == np.uint8
    assert np.array_equal(forged, forge_track(kind, course, track, np.random.default_rng(1)))
    if kind != "other_moment":  # another moment of a still track is the same picture
        assert all((each != track[0].picture).any() for each in forged)


def test_forgeries_flicker_drift_or_stand():
    flickering, drifting, standing = (
        np.mean(
            [
                change_over_time(
                    forge_track("resampled", course, still_track(), np.random.default_rng(seed))
                )
                for seed in range(4)
            ]
        )
        for course in COURSES
    )

    assert standing == 0.0
    assert 0.0 < drifting < 0.5 * flickering


def test_a_drift_ends_elsewhere_than_it_began():
    forged = forge_track("upsampled", "drifting", still_track(), np.random.default_rng(0))

    to_next = np.abs(forged[1].astype(float) - forged[0]).mean()
    assert np.abs(forged[-1].astype(float) - forged[0]).mean() > 2.0 * to_next > 0.0


def test_the_mouth_comes_from_another_frame_of_the_track():
    faces = [drawn_face(3)] * N
    dark = Face(picture=faces[0].picture // 2, landmarks=faces[0].landmarks)

    [first, *_] = forge_track("other_moment", "anew", [faces[0], dark], np.random.default_rng(2))
    drawn = [
        forge_track("other_moment", "constant", [faces[0], dark], np.random.default_rng(seed))[0]
        for seed in range(3)
    ]

    assert all(each.mean() < faces[0].picture.mean() for each in drawn)
    assert first.shape == (256, 256, 3)


def test_a_track_of_one_frame_can_be_forged():
    for course in COURSES:
        assert len(forge_track("lip_box", course, [drawn_face(1)], np.random.default_rng(0))) == 1


def test_twins_pass_one_and_the_same_channel():
    pictures = np.stack([face.picture for face in still_track()])

    first, second = code_twins(pictures, pictures.copy(), np.random.default_rng(4))

    assert np.array_equal(first, second)
    assert (first != pictures).any()
    assert first.shape == pictures.shape
