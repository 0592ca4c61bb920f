"""What the report keeps of synchrony: true to the clock, and small however long the clip."""

from dataclasses import replace

import numpy as np
import pytest

from avdetect.branches.agreement import Agreement, OffsetSums
from avdetect.branches.base import BranchOutput
from avdetect.sync_gallery import SyncGallery
from avdetect.types import Part, Segment
from tests.talking_mouth import observation

FACE = Part(channel="mono", face_track=0)


def judged(start_s=0.0, seconds=4.0, offset=2, scores=(0.0, 3.0, 1.0), part=FACE):
    frames = round(start_s * 25) + np.arange(round(seconds * 25))
    similarity = np.zeros((len(frames), 31), np.float16)
    similarity[:, 15 + offset] = 0.5
    sums = OffsetSums(
        similarity=similarity.sum(0, dtype=np.float64),
        distance=np.sqrt(2 - 2 * similarity.astype(np.float64)).sum(0),
        count=np.full(31, len(frames)),
    )
    begins = start_s + 1.2 * np.arange(len(scores))
    return BranchOutput(
        part=part,
        segments=np.stack([begins, begins + 1.2], 1),
        scores=np.array(scores, np.float32),
        tokens=np.zeros((len(scores), 1), np.float32),
        weights=np.ones(len(scores), np.float32),
        agreement=Agreement(sums=sums, frame_index=frames, similarity=similarity),
    )


def at(start_s, seconds=4.0):
    seen = observation(seconds)
    segment = Segment(start_s, start_s + seconds)
    face = replace(seen.faces[0], frame_index=seen.faces[0].frame_index + round(start_s * 25))
    return replace(seen, segment=segment, fresh=segment, faces=(face,))


def test_the_curve_dips_at_the_offset_and_the_matrix_lies_on_the_clock():
    gallery = SyncGallery()
    gallery.add(at(8.0), [judged(8.0)])
    (exhibit,) = gallery.exhibits()
    assert exhibit.part == FACE
    assert exhibit.offset_frames == 2
    assert exhibit.distances.argmin() == 17
    assert (exhibit.start_s, exhibit.row_s) == (8.0, 0.04)
    assert exhibit.similarity[:, 17] == pytest.approx(0.5)


def test_the_worst_windows_are_shown_with_the_mouths_and_sound_of_their_seconds():
    gallery = SyncGallery()
    seen = at(0.0)
    gallery.add(seen, [judged()])
    (worst,) = gallery.exhibits()[0].strips
    assert worst.segment == Segment(1.2, 2.4)
    assert worst.mouths.shape == (15, 72, 72)
    assert worst.sound_s == pytest.approx(0.6)
    assert len(worst.envelope) * worst.column_s == pytest.approx(2.4)
    heard = seen.channels[0].waveform[round(0.6 * 16000) : round(3.0 * 16000)]
    assert worst.envelope[:, 1].max() == heard.max()
    gallery.add(at(4.0), [judged(4.0, scores=(9.0, 0.0, 0.0))])
    gallery.add(at(8.0), [judged(8.0, scores=(0.5, 0.0, 0.0))])
    strips = gallery.exhibits()[0].strips
    assert [strip.segment.start_s for strip in strips] == [4.0, 1.2]


def test_pauses_are_not_shown():
    gallery = SyncGallery()
    gallery.add(at(0.0), [replace(judged(), weights=np.full(3, 0.4, np.float32))])
    assert gallery.exhibits()[0].strips == ()


def test_two_hours_keep_their_length_in_few_rows():
    gallery = SyncGallery()
    seen = at(0.0)
    for index in range(1800):
        gallery.add(seen, [judged(4.0 * index)])
    (exhibit,) = gallery.exhibits()
    assert len(exhibit.similarity) <= 1000
    assert len(exhibit.similarity) * exhibit.row_s == pytest.approx(7200, rel=0.01)
    assert exhibit.similarity[:, 17] == pytest.approx(0.5)
    assert len(exhibit.strips) == 2


def test_a_crowd_is_kept_to_a_dozen_faces_and_absent_faces_to_none():
    gallery = SyncGallery()
    absent = BranchOutput.absent(FACE, "no speech here", 1)
    gallery.add(at(0.0), [absent])
    assert gallery.exhibits() == ()
    for track in range(30):
        part = Part(channel="mono", face_track=track)
        gallery.add(at(0.0), [judged(part=part)])
    assert len(gallery.exhibits()) == 12
