"""Series of a face hold each new picture once, on one clock, within bounds."""

import numpy as np
import pytest

from avdetect.cues.base import ClipFacts, Measurement, Medium
from avdetect.cues.face_series import (
    MOST_S,
    MOST_TRACKS,
    FaceSeries,
    FaceSeriesReading,
    SeriesRecipe,
    new_rows,
)
from avdetect.observation import Observation
from avdetect.types import Segment
from tests.cues.meshes import face_window, observations, still_meshes


def recipe(least_s=0.0):
    return SeriesRecipe(
        extract=lambda observation, face, rows: face.frame_s[rows, None],
        measure=lambda series: Measurement(
            medium=Medium.VIDEO, part=series.part, features=(float(len(series.time_s)),)
        ),
        draw=lambda series: None,
        least_s=least_s,
    )


def reading_of(seen, **options):
    reading = FaceSeriesReading(ClipFacts(), recipe(**options))
    for observation in seen:
        reading.add(observation, {})
    return reading


def test_every_picture_is_read_once_though_observations_overlap():
    (found,) = reading_of(observations(face_window(still_meshes(250)))).measurements()
    assert found.features == (250.0,)


def test_a_picture_that_is_shown_for_two_ticks_is_read_once():
    frame_s = np.repeat(np.arange(75) / 12.5, 2)
    face = face_window(still_meshes(150), frame_s=frame_s)
    (found,) = reading_of(observations(face)).measurements()
    assert found.features == (75.0,)


def test_a_photograph_has_no_series():
    reading = FaceSeriesReading(ClipFacts(is_still=True), recipe())
    reading.add(observations(face_window(still_meshes(1)))[0], {})
    assert reading.measurements() == []


def test_pieces_are_even_and_end_at_gaps():
    times_s = np.concatenate([np.arange(0, 3, 1 / 30), np.arange(5, 8, 1 / 30)])
    values = np.stack([times_s, 2 * times_s], 1).astype(np.float32)
    first, second = FaceSeries(track=0, time_s=times_s, values=values).pieces()
    assert (first.start_s, second.start_s) == pytest.approx((0.0, 5.0))
    assert first.duration_s == pytest.approx(3.0, abs=0.05)
    for piece in (first, second):
        assert piece.values[:, 0] == pytest.approx(piece.time_s, abs=1e-4)
        assert piece.values[:, 1] == pytest.approx(2 * piece.time_s, abs=1e-4)


def test_memory_is_bounded_in_faces_and_in_seconds():
    reading = FaceSeriesReading(ClipFacts(), recipe())
    for number in range(3 * MOST_TRACKS):
        n = 25 + number  # later faces stay longer
        face = face_window(still_meshes(n), track=number, first_tick=100 * number)
        span = Segment(4.0 * number, 4.0 * number + 4.0)
        reading.add(Observation(segment=span, fresh=span, faces=(face,)), {})
    kept = [found.part.face_track for found in reading.measurements()]
    assert kept == list(range(2 * MOST_TRACKS, 3 * MOST_TRACKS))


def test_more_faces_in_one_observation_than_are_kept_leave_the_longest():
    reading = FaceSeriesReading(ClipFacts(), recipe())
    span = Segment(0.0, 4.0)
    faces = tuple(
        face_window(still_meshes(2 + number), track=number) for number in range(MOST_TRACKS + 3)
    )
    reading.add(Observation(segment=span, fresh=span, faces=faces), {})
    kept = [found.part.face_track for found in reading.measurements()]
    assert kept == list(range(3, MOST_TRACKS + 3))


def test_a_long_call_is_measured_on_its_first_minutes():
    reading = FaceSeriesReading(ClipFacts(), recipe())
    for start in range(0, round(MOST_S) + 40, 4):
        face = face_window(still_meshes(100), first_tick=25 * start)
        span = Segment(float(start), start + 4.0)
        reading.add(Observation(segment=span, fresh=span, faces=(face,)), {})
    (found,) = reading.measurements()
    assert found.features[0] <= 25 * (MOST_S + 4.0)


def test_no_row_is_new_where_nothing_is_fresh():
    face = face_window(still_meshes(50))
    seen = Observation(segment=Segment(0.0, 2.0), fresh=Segment(2.0, 2.0), faces=(face,))
    assert len(new_rows(face, seen)) == 0
