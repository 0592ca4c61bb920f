import numpy as np

from avdetect.branches.track_stretches import STRETCH_FRAMES, TrackFrames, stretches_of


def frames(index, frame_s=None):
    index = np.asarray(index, np.int64)
    rng = np.random.default_rng(0)
    return TrackFrames(
        frame_index=index,
        frame_s=index / 25 if frame_s is None else np.asarray(frame_s, float),
        landmarks=rng.uniform(0, 200, (len(index), 478, 2)),
        tokens=rng.normal(size=(len(index), 5)).astype(np.float32),
        scores=index.astype(np.float32),
    )


def test_frames_lie_at_their_place_from_the_first_on():
    given = frames([30, 31, *range(40, 57)])

    stretch, stretch_of = stretches_of(given)

    assert stretch.tokens.shape == (2, STRETCH_FRAMES, 5)
    assert stretch_of.tolist() == [0] * 17 + [1] * 2
    assert np.flatnonzero(stretch.present[0]).tolist() == [0, 1, *range(10, 25)]
    assert stretch.scores[0, 10] == 40.0
    assert np.array_equal(stretch.tokens[1, 1], given.tokens[18])
    assert stretch.times_s[0, 10] == np.float32(0.4)


def test_a_stretch_of_few_pictures_has_none():
    stretch, _ = stretches_of(frames([*range(25), *range(30, 35)]))

    assert stretch.present.sum(1).tolist() == [25, 0]


def test_a_picture_that_is_shown_twice_counts_once():
    index = np.arange(25)

    stretch, _ = stretches_of(frames(index, np.floor(index * 10 / 25) / 10))

    assert stretch.present.sum() == 10
    assert np.allclose(np.diff(stretch.times_s[stretch.present].numpy()), 0.1, atol=1e-6)


def test_a_long_gap_leaves_an_empty_stretch():
    stretch, stretch_of = stretches_of(frames([*range(25), *range(75, 100)]))

    assert stretch.present.sum(1).tolist() == [25, 0, 0, 25]
    assert set(stretch_of.tolist()) == {0, 3}
