"""Where faces were seen is remembered once for every tick, small, with calibrated scores."""

import numpy as np
import pytest

from avdetect.calibration import Calibration
from avdetect.sightings import Sightings
from tests.judged_faces import face, observation, said

CALIBRATION = Calibration(scale=2.0, offset=-1.0, limit=5.0)


def test_overlapping_stretches_are_remembered_once():
    sightings = Sightings(CALIBRATION)
    sightings.add(
        observation(0.0, 4.0, face(range(100))), {"visual_forgery": [said([0, 5], [0.0, 9.0])]}
    )
    sightings.add(
        observation(3.0, 7.0, face(range(75, 175))), {"visual_forgery": [said([100], [1.0])]}
    )

    (track,) = sightings.tracks()
    assert track.ticks.tolist() == list(range(175))
    assert track.boxes.shape == (175, 4)
    assert track.judged_ticks.tolist() == [0, 5, 100]
    assert track.fake_llrs.tolist() == pytest.approx([-1.0, 5.0, 1.0])  # the limit holds here, too


def test_transforms_lead_from_the_picture_to_the_face_crop():
    sightings = Sightings(CALIBRATION)
    sightings.add(observation(0.0, 1.0, face([0], left=300, top=50, scale=0.5)), {})

    (track,) = sightings.tracks()
    corner = track.transforms[0] @ np.array([300 + 224 * 0.5, 50.0, 1.0])
    assert corner == pytest.approx([224.0, 0.0], abs=0.01)


def test_a_face_that_was_never_judged_is_still_seen():
    sightings = Sightings(CALIBRATION)
    sightings.add(observation(0.0, 1.0, face(range(25), track=7)), {"visual_forgery": []})
    (track,) = sightings.tracks()
    assert (track.track, len(track.ticks), track.maps.shape) == (7, 25, (0, 28, 28))


def test_a_second_of_a_face_takes_a_few_kilobytes():
    sightings = Sightings(CALIBRATION)
    for second in range(60):
        ticks = range(25 * second, 25 * second + 25)
        output = said(list(ticks)[::5], np.zeros(5))
        sightings.add(observation(second, second + 1, face(ticks)), {"visual_forgery": [output]})
    (track,) = sightings.tracks()
    arrays = (track.ticks, track.boxes, track.transforms, track.judged_ticks, track.fake_llrs)
    assert sum(array.nbytes for array in (*arrays, track.maps)) < 60 * 6_000
