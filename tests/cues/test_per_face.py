import numpy as np

from avdetect.cues import CUES, choose_cues
from avdetect.cues.base import ClipFacts, Medium
from avdetect.cues.per_face import MOST_FACES, MOST_LOOKS, Look, Method, PerFaceReading, Tale
from avdetect.observation import Observation
from avdetect.types import Segment
from tests.cues.portrait import face_window, mesh, read, seen
from tests.cues.textures import texture


def method(**options):
    return Method(
        look=lambda moment: Look(numbers=(moment.time_s,)),
        tell=lambda looks: Tale(features=(float(looks.table.mean()),), value=1.0, text="seen"),
        caption="",
        **options,
    )


def test_looks_of_a_long_clip_are_thinned_and_span_it_whole():
    reading = PerFaceReading(ClipFacts(), method())
    picture, landmarks = texture(64, 64), mesh((32.0, 32.0), 50.0)
    for second in range(0, 3 * MOST_LOOKS, 10):
        pictures = seen([picture] * 10, [landmarks] * 10).pictures
        ticks = [25 * (second + k) for k in range(10)]
        moved = tuple(
            type(p)(tick=tick, time_s=tick / 25, pixels=p.pixels)
            for p, tick in zip(pictures, ticks, strict=True)
        )
        segment = Segment(float(second), second + 10.0)
        face = face_window([landmarks] * 10, ticks)
        reading.add(Observation(segment=segment, fresh=segment, faces=(face,), pictures=moved), {})
    looks = reading.faces[0]
    assert MOST_LOOKS / 2 <= len(looks.rows) <= MOST_LOOKS
    assert np.ptp(np.diff(looks.times_s)) == 0.0
    (told,) = reading.measurements()
    assert told.segment.end_s == 10 * -(-3 * MOST_LOOKS // 10) - 1
    assert abs(told.features[0] - told.segment.end_s / 2) < 8.0


def test_of_a_clip_with_a_hundred_cuts_the_faces_seen_most_are_kept():
    reading = PerFaceReading(ClipFacts(), method())
    picture, landmarks = texture(64, 64), mesh((32.0, 32.0), 50.0)
    pictures = seen([picture] * 3, [landmarks] * 3).pictures
    for track in range(100):
        n_seconds = 3 if track == 7 else 1
        face = face_window([landmarks] * n_seconds, [25 * k for k in range(n_seconds)], track)
        whole = Segment(0.0, 3.0)
        reading.add(Observation(segment=whole, fresh=whole, faces=(face,), pictures=pictures), {})
    assert len(reading.faces) == MOST_FACES
    assert {7, 99} <= set(reading.faces)


def test_a_face_too_small_to_judge_is_told_with_its_reason():
    reading = PerFaceReading(ClipFacts(), method())
    reading.add(seen([texture(64, 64)], [mesh((32.0, 32.0), 20.0)]), {})
    (told,) = reading.measurements()
    assert "26 px large, 48 px needed" in told.missing
    assert reading.figures() == []


def test_pictures_that_an_earlier_observation_showed_are_not_looked_at_again():
    reading = PerFaceReading(ClipFacts(), method())
    shown = seen([texture(64, 64)] * 3, [mesh((32.0, 32.0), 50.0)] * 3)
    reading.add(shown, {})
    again = Observation(
        segment=shown.segment,
        fresh=Segment(3.0, 3.0),
        faces=shown.faces,
        pictures=shown.pictures,
    )
    reading.add(again, {})
    assert len(reading.faces[0].rows) == 3


def test_every_cue_of_pictures_is_silent_or_says_why_where_nothing_is_seen():
    empty = Observation(segment=Segment(0.0, 1.0), fresh=Segment(0.0, 1.0))
    for cue in choose_cues("all"):
        if Medium.VIDEO in cue.media:
            reading = read(cue, empty)
            assert all(told.missing for told in reading.measurements()), cue.name
            assert len(reading.figures()) <= 4


def test_names_of_cues_and_features_are_unique():
    for name, cue in CUES.items():
        assert cue.name == name
        assert len(set(cue.features)) == len(cue.features)
        assert cue.reference
