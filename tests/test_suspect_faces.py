"""The worst moments of every face, in bounded memory."""

import numpy as np

from avdetect.gallery import Gallery
from avdetect.record import ClipRecord
from avdetect.suspect_faces import SuspectFaces
from avdetect.verdict import TimelineEntry
from tests.judged_faces import face, observation, said


def feed(keeper, start_tick, scores, track=0):
    ticks = start_tick + 5 * np.arange(len(scores))
    window = face(np.arange(start_tick, ticks[-1] + 1), track=track)
    seen = observation(start_tick / 25, (ticks[-1] + 5) / 25, window)
    output = said(ticks, scores, track=track)
    keeper.add(seen, {"visual_forgery": [output]})
    return output


def test_the_worst_moments_a_second_apart_are_kept_worst_first():
    keeper = SuspectFaces()
    scores = np.full(50, -5.0)
    scores[[10, 11, 12, 30, 45]] = [3.0, 4.0, 3.5, 1.0, 2.0]
    feed(keeper, 0, scores)

    (moments,) = keeper.moments().values()
    assert [moment.score for moment in moments] == [4.0, 2.0, 1.0]
    assert [moment.time_s for moment in moments] == [2.2, 9.0, 6.0]
    assert [int(moment.picture[0, 0, 0]) for moment in moments] == [55, 225, 150]  # its own crop


def test_a_worse_neighbour_in_the_next_stretch_takes_the_place():
    keeper = SuspectFaces()
    feed(keeper, 0, [0.0, 0.0, 1.0])
    feed(keeper, 15, [2.0, 0.0])

    (moments,) = keeper.moments().values()
    assert [(moment.time_s, moment.score) for moment in moments] == [(0.6, 2.0)]


def test_of_many_tracks_the_worst_are_kept():
    keeper = SuspectFaces()
    for track in range(40):
        feed(keeper, 100 * track, [float(track % 20)], track=track)

    kept = keeper.moments()
    assert len(kept) == 12
    assert {track % 20 for track in kept} == set(range(14, 20))
    worst = [moments[0].score for moments in kept.values()]
    assert worst == sorted(worst, reverse=True)


def test_a_photograph_gives_its_one_moment():
    keeper = SuspectFaces()
    feed(keeper, 0, [1.0])
    (moments,) = keeper.moments().values()
    assert [moment.time_s for moment in moments] == [0.0]


def test_the_gallery_shows_moments_with_the_score_of_their_stretch():
    gallery = Gallery()
    feed(gallery, 0, [0.0] * 5 + [2.0] + [0.0] * 4, track=3)
    entry = TimelineEntry(
        start_s=1.0, end_s=2.0, branch="visual_forgery", face_track=3, fake_llr=1.7
    )
    worst = gallery.exhibits([entry]).masked_faces[0]
    assert (worst.track, worst.time_s, worst.fake_llr) == (3, 1.0, 1.7)
    assert gallery.sightings() is None


def test_what_is_remembered_of_every_clip_holds_no_map():
    record = ClipRecord()
    output = feed(record, 0, [0.5, 1.0])
    (kept,) = record.outputs["visual_forgery"][output.part]
    assert kept.maps is None
    assert record.windows[0].outputs["visual_forgery"][0].maps is None
    assert np.array_equal(kept.scores, output.scores)
