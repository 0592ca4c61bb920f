"""A forged second of a video: what is forged of it, and what the branches say of it together."""

import numpy as np
import pytest

from avdetect.branches.base import FRAME_S, FrameScores
from avdetect.fusion.subjects import FACE, SYNC, VOICE
from recipes.fusion.partial_figures import FORGERS, any_forged, through_codec

START, STOP = 50, 75  # frames of 25 Hz


def frames(start_s, scores, weights=None):
    first = start_s + np.arange(len(scores)) * FRAME_S
    return FrameScores(
        segments=np.stack([first, first + FRAME_S], 1),
        scores=np.asarray(scores, np.float32),
        weights=np.ones(len(scores), np.float32) if weights is None else np.asarray(weights),
    )


@pytest.mark.parametrize("kind", FORGERS)
def test_nothing_outside_the_second_is_touched(clip, kind):
    forged = FORGERS[kind](clip, clip, START, STOP)
    changed = np.flatnonzero((forged.faces != clip.faces).any((1, 2, 3)))
    assert ((clip.face_index[changed] >= START) & (clip.face_index[changed] < STOP)).all()
    assert bool(len(changed)) == ("face" in kind)
    heard = np.flatnonzero(forged.audio != clip.audio)
    assert bool(len(heard)) == ("voice" in kind or "speech" in kind)
    if len(heard):
        assert heard[0] >= START * 640 - 640 and heard[-1] < STOP * 640 + 640


def test_both_twins_go_through_one_codec(clip):
    coded = through_codec(clip)
    assert coded.faces.shape == clip.faces.shape
    assert not np.array_equal(coded.faces, clip.faces)
    assert coded.audio is clip.audio


def test_one_branch_that_is_sure_is_enough_and_the_silent_have_no_vote():
    found = {
        FACE: frames(0.0, [0.0] * 50 + [6.0] * 50),
        VOICE: frames(1.0, [0.0] * 100),
        SYNC: frames(0.0, [-9.0] * 100, weights=np.zeros(100, np.float32)),
    }
    together = any_forged(found)
    assert len(together.scores) == 150
    np.testing.assert_allclose(together.scores[:50], 0.0, atol=1e-6)  # the face alone
    expected = np.log((np.exp(6.0) + 1.0) / 2.0)
    np.testing.assert_allclose(together.scores[50:100], expected, atol=1e-5)
    np.testing.assert_allclose(together.scores[100:], 0.0, atol=1e-6)  # the voice alone
