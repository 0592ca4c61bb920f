"""Faces are found at every scale and followed within a shot, on the sample photograph."""

import cv2
import numpy as np
import pytest

from avdetect.faces.detect import FaceFinder, iou
from avdetect.faces.track import FaceTracker
from tests.paths import SAMPLES


@pytest.fixture(scope="module")
def portrait():
    return cv2.cvtColor(cv2.imread(str(SAMPLES / "portrait_real.jpg")), cv2.COLOR_BGR2RGB)


@pytest.fixture
def finder():
    with FaceFinder() as found:
        yield found


def paste(portrait, places, size=(720, 1280)):
    """The portrait at several (left, top, side) in a grey picture."""
    picture = np.full((*size, 3), 110, np.uint8)
    for left, top, side in places:
        small = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
        picture[top : top + side, left : left + side] = small
    return picture


def test_iou_of_known_boxes():
    assert iou((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert iou((0, 0, 1, 1), (1, 1, 2, 2)) == 0.0


@pytest.mark.parametrize("side", [260, 512, 700])
def test_one_face_at_any_scale_with_its_mesh(finder, portrait, side):
    picture = paste(portrait, [(300, 10, side)])
    (box, *_) = finder.propose(picture)
    face = finder.measure(picture, box)
    assert face is not None
    assert face.landmarks.shape == (478, 2)
    nose = face.landmarks[1]
    assert 300 < nose[0] < 300 + side and 10 < nose[1] < 10 + side / 2
    assert abs(face.yaw_deg) < 25


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_face_that_lies_or_hangs_gets_the_mesh_it_has_upright(finder, portrait, turns):
    upright = paste(portrait, [(300, 10, 700)])
    (box, *_) = finder.propose(upright)
    truth = finder.measure(upright, box)
    turned = np.ascontiguousarray(np.rot90(upright, turns))
    (face,) = FaceTracker(finder).update(turned, new_shot=True).values()
    x, y = face.landmarks[:, 0], face.landmarks[:, 1]
    height, width = upright.shape[:2]
    back = {1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}[turns]
    assert np.abs(np.stack(back, 1) - truth.landmarks).mean() < 2.0
    assert face.yaw_deg == pytest.approx(truth.yaw_deg, abs=3.0)
    assert face.size_px == pytest.approx(truth.size_px, rel=0.03)


def test_an_upright_face_is_not_turned(finder, portrait):
    picture = paste(portrait, [(300, 100, 500)])
    (box, *_) = finder.propose(picture)
    assert finder.upright(picture, box) == 0


def test_no_face_in_a_grey_picture(finder):
    assert finder.propose(np.full((480, 640, 3), 110, np.uint8)) == []


def test_two_moving_faces_keep_their_numbers(finder, portrait):
    tracker = FaceTracker(finder)
    for step in range(8):
        places = [(100 + 6 * step, 100, 400), (800 - 6 * step, 150, 400)]
        found = tracker.update(paste(portrait, places), new_shot=False)
    assert set(found) == {0, 1}
    centres = {n: (m.box[0] + m.box[2]) / 2 for n, m in found.items()}
    left_first = centres[0] < centres[1]
    assert sorted(centres.values())[0] < 640 < sorted(centres.values())[1]
    again = tracker.update(paste(portrait, [(142, 100, 400), (758, 150, 400)]), new_shot=False)
    assert (again[0].box[0] < again[1].box[0]) is left_first


def test_a_cut_starts_new_tracks(finder, portrait):
    tracker = FaceTracker(finder)
    picture = paste(portrait, [(300, 100, 500)])
    assert set(tracker.update(picture, new_shot=True)) == {0}
    assert set(tracker.update(picture, new_shot=False)) == {0}
    assert set(tracker.update(picture, new_shot=True)) == {1}


def test_more_faces_than_can_be_followed_are_counted_not_judged(finder, portrait):
    tracker = FaceTracker(finder, max_faces=2)
    places = [(20, 50, 300), (340, 50, 300), (660, 50, 300), (960, 50, 300)]
    found = tracker.update(paste(portrait, places), new_shot=True)
    assert len(found) == 2
    assert tracker.n_unfollowed > 0


SMALL = [(20, 20, 230), (340, 20, 200), (660, 20, 230), (980, 20, 230)]


@pytest.fixture(scope="module")
def face(portrait):
    return portrait[16:231, 118:333]  # that and little else


def test_a_clearly_larger_face_takes_the_place_of_the_smallest(finder, face):
    tracker = FaceTracker(finder)
    before = tracker.update(paste(face, SMALL), new_shot=True)
    assert set(before) == {0, 1, 2, 3} and tracker.n_unfollowed == 0
    smallest = min(before, key=lambda number: before[number].size_px)
    joined = paste(face, [*SMALL, (400, 260, 450)])
    for _ in range(2):
        after = tracker.update(joined, new_shot=False, ticks=12)
    assert set(after) == {0, 1, 2, 3, 4} - {smallest}
    assert after[4].size_px > 200 > 150 > before[smallest].size_px
    assert tracker.n_unfollowed > 0


def test_a_face_hardly_larger_takes_no_place(finder, face):
    tracker = FaceTracker(finder)
    tracker.update(paste(face, SMALL), new_shot=True)
    joined = paste(face, [*SMALL, (400, 300, 250)])
    for _ in range(2):
        after = tracker.update(joined, new_shot=False, ticks=12)
    assert set(after) == {0, 1, 2, 3}
    assert tracker.n_unfollowed == 2


def test_the_same_pictures_give_the_same_bits(portrait):
    def run():
        with FaceFinder() as finder:
            tracker = FaceTracker(finder)
            picture = paste(portrait, [(300, 100, 400)])
            return [tracker.update(picture, new_shot=False)[0].landmarks for _ in range(3)]

    for a, b in zip(run(), run(), strict=True):
        np.testing.assert_array_equal(a, b)
