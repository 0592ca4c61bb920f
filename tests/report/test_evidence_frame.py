"""What stands on one frame, pixel by pixel where it matters."""

import numpy as np
import pytest

from avdetect.calibration import Calibration
from avdetect.report.evidence_frame import FrameArtist, faces_at
from avdetect.sightings import Sightings
from tests.judged_faces import face, observation, said

CALIBRATION = Calibration(scale=1.0, offset=0.0, limit=5.0)
GREY = np.full((480, 800, 3), 128, np.uint8)
SURE = np.zeros((28, 28), np.float32)
SURE[12:16, 12:16] = 1.0  # the middle of the crop: 96 to 128 px


def tracks(*, score=2.0, forgery_map=SURE, ticks=range(25), judged=(0, 5, 10, 15, 20), **place):
    sightings = Sightings(CALIBRATION)
    output = said(list(judged), [score] * len(judged), forgery_map=forgery_map)
    seen = observation(0.0, 1.0, face(list(ticks), **place))
    sightings.add(seen, {"visual_forgery": [output]})
    return sightings.tracks()


def drawn(found, tick=0, picture=GREY, since=None, size=(800, 480)):
    artist = FrameArtist(size, found, 1.0, "FAKE, LLR +2.00")
    return artist.draw(picture, tick, tick if since is None else since)


def test_the_map_lies_over_its_place_in_the_picture_and_nowhere_else():
    frame = drawn(tracks(left=300, top=100, scale=0.5)).astype(int)
    red = (frame[:480, :, 0] - frame[:480, :, 2]) > 60
    inside = np.zeros_like(red)
    inside[100 + 48 : 100 + 64, 300 + 48 : 300 + 64] = True
    assert red[inside].all()
    box_and_label = np.zeros_like(red)
    box_and_label[90:200, 310:480] = True
    assert not red[~box_and_label].any()
    reach = red[130:185, 330:385]
    assert reach.sum() < 24 * 24  # 16 px and the slope to the next cells


@pytest.mark.parametrize(("score", "colour"), [(2.0, (180, 35, 24)), (-2.0, (29, 95, 191))])
def test_boxes_stand_round_the_face_in_the_colour_of_the_score(score, colour):
    frame = drawn(tracks(score=score, forgery_map=None, left=300, top=100))
    assert tuple(frame[250, 340]) == colour  # left side of the box
    assert tuple(frame[284, 400]) == colour  # its foot


def test_a_face_that_was_not_judged_has_a_grey_box():
    frame = drawn(tracks(judged=(), left=300, top=100))
    assert tuple(frame[250, 340]) == (130, 138, 150)


def test_a_score_holds_for_its_moment_only():
    found = tracks(ticks=range(25), judged=(0,))
    assert [f.fake_llr for f in faces_at(found, 10, 10)] == [2.0]
    assert [f.fake_llr for f in faces_at(found, 11, 11)] == [None]


def test_no_box_where_the_face_was_not_seen():
    found = tracks(ticks=[0, 1, 2])
    assert len(list(faces_at(found, 2, 2))) == 1
    assert list(faces_at(found, 3, 3)) == []


def test_a_picture_that_stands_still_keeps_its_box():
    found = tracks(ticks=range(12), judged=(0, 5, 10))
    assert [f.fake_llr for f in faces_at(found, 200, shown_since=0)] == [2.0]


def test_the_marker_moves_with_time_and_the_strip_stays():
    found = tracks(forgery_map=None)
    first, last = drawn(found, 0)[480:], drawn(found, 24)[480:]
    changed = np.flatnonzero((first != last).any(axis=(1, 2)))
    assert changed.size
    strip = slice(60, 78)
    assert (first[strip, 400] == last[strip, 400]).all()
    assert (drawn(found, 12)[480:][65:70, 383] == (26, 34, 48)).all()


@pytest.mark.parametrize("size", [(64, 48), (641, 359), (1079, 1919), (3, 2), (1920, 8), (8, 1920)])
def test_every_size_gives_even_sides_that_can_be_read(size):
    picture = np.full((size[1], size[0], 3), 90, np.uint8)
    frame = drawn(tracks(), picture=picture, size=size)
    assert frame.shape[0] % 2 == frame.shape[1] % 2 == 0
    assert 640 <= frame.shape[1] <= 1920
    assert frame.shape[0] <= 1920 + 300


def test_a_picture_of_another_size_is_fitted_in_whole():
    frame = drawn(tracks(left=300, top=100), picture=np.full((960, 800, 3), 200, np.uint8))
    assert frame.shape[1] == 800
    assert (frame[:480, 0] == 0).all() and (frame[:480, 799] == 0).all()


def test_where_there_is_no_picture_is_black():
    assert (drawn(tracks(), picture=None)[:480] == 0).all()
