"""Exhibits stay small and on the clock however long the clip."""

import numpy as np

from avdetect.branches.base import BranchOutput, FrameScores
from avdetect.gallery import Gallery
from avdetect.observation import ChannelAudio, Observation
from avdetect.types import Part, Segment
from avdetect.verdict import SuspiciousSegment
from tests.synth import noise, tone


def hear(gallery, start_s, waveform, fresh_from=None, score=0.0, frames=None):
    end_s = start_s + len(waveform) / 16000
    observation = Observation(
        segment=Segment(start_s, end_s),
        fresh=Segment(start_s if fresh_from is None else fresh_from, end_s),
        channels=(ChannelAudio(channel="mono", waveform=waveform, speech=()),),
    )
    output = BranchOutput(
        part=Part(channel="mono"),
        segments=np.array([[start_s, end_s]]),
        scores=np.array([score], np.float32),
        tokens=np.zeros((1, 1), np.float32),
        weights=np.ones(1, np.float32),
        frames=frames,
    )
    gallery.add(observation, {"voice_clone": [output]})


def test_overlapping_windows_are_drawn_once():
    gallery = Gallery()
    sound = noise(7.0)
    hear(gallery, 0.0, sound[: 4 * 16000])
    hear(gallery, 3.0, sound[3 * 16000 :], fresh_from=4.0)
    (exhibit,) = gallery.exhibits(()).audio
    assert len(exhibit.envelope) * exhibit.column_s == 7.0
    assert exhibit.spectrogram.shape == (257, len(exhibit.envelope))


def test_a_tone_is_drawn_at_its_frequency():
    gallery = Gallery()
    hear(gallery, 0.0, tone(2.0, hz=1000.0))
    (exhibit,) = gallery.exhibits(()).audio
    loudest = exhibit.spectrogram.mean(1).argmax() / 256 * exhibit.max_hz
    assert abs(loudest - 1000) < 40


def test_an_hour_keeps_its_length_in_few_columns():
    gallery = Gallery()
    for index in range(600):
        hear(gallery, 6.0 * index, np.full(6 * 16000, 0.1, np.float32))
    (exhibit,) = gallery.exhibits(()).audio
    assert len(exhibit.envelope) <= 3000
    assert abs(len(exhibit.envelope) * exhibit.column_s - 3600) < 3.0


def test_the_worst_windows_are_kept_to_listen_to():
    gallery = Gallery()
    for index, score in enumerate([0.1, 5.0, -3.0, 4.0, 0.0, 1.0, 2.0, 3.0]):
        hear(gallery, 4.0 * index, noise(4.0, seed=index), score=score)
    assert [bite.segment.start_s for bite in gallery.bites()] == [4.0, 12.0, 28.0, 24.0, 20.0]


def spoken(start_s, forged=None):
    """Frames of 20 ms over four seconds, one second of them high."""
    starts = start_s + 0.02 * np.arange(200)
    scores = np.full(200, -4.0, np.float32)
    if forged is not None:
        scores[(starts >= forged) & (starts < forged + 1.0)] = 4.0
    return FrameScores(
        segments=np.stack([starts, starts + 0.02], 1),
        scores=scores,
        weights=np.ones(200, np.float32),
    )


def test_the_stretch_that_stands_out_is_heard_first():
    gallery = Gallery()
    for index in range(20):  # the window of the forged second has the lowest score of all
        frames = spoken(4.0 * index, 13.5 if index == 3 else None)
        score = -9.0 if index == 3 else float(index)
        hear(gallery, 4.0 * index, noise(4.0, seed=index), score=score, frames=frames)
    stretch = SuspiciousSegment(
        branch="voice_clone", channel="mono", start_s=13.5, end_s=14.5, score=0.8
    )
    first, *others = gallery.bites([stretch])
    assert (first.segment.start_s, first.stands_out) == (12.0, Segment(13.5, 14.5))
    assert [bite.segment.start_s for bite in others] == [76.0, 72.0, 68.0, 64.0]
    assert all(bite.stands_out is None for bite in others)
    assert len(gallery.bites()) == 5
