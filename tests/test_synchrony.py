"""What a verdict says of the offset between sound and lips."""

from dataclasses import replace

import numpy as np
import pytest

from avdetect.branches.agreement import Agreement, OffsetSums
from avdetect.branches.base import BranchOutput
from avdetect.detector import Detector
from avdetect.synchrony import measure_synchrony, offset_words
from avdetect.types import Decision, Part
from eval.compose import held_out_clips
from eval.mux import mux
from tests.shared import requires_shared

FACE = Part(channel="mono", face_track=0)


def output(offset, height=0.5, n_frames=100):
    similarity = np.zeros(31)
    similarity[15 + offset] = height
    sums = OffsetSums(
        similarity=n_frames * similarity,
        distance=n_frames * np.sqrt(2 - 2 * similarity),
        count=np.full(31, n_frames),
    )
    agreement = Agreement(
        sums=sums, frame_index=np.zeros(0, np.int64), similarity=np.zeros((0, 31), np.float16)
    )
    return replace(BranchOutput.absent(FACE, "", 1), missing=None, agreement=agreement)


def test_the_whole_clip_votes_for_one_offset():
    (found,) = measure_synchrony({FACE: [output(9, 0.2), output(3), output(3)]}, [FACE])
    assert (found.channel, found.face_track) == ("mono", 0)
    assert found.av_offset_s == pytest.approx(0.12)
    assert found.sync_distance == pytest.approx((2 + 2**0.5) / 3, abs=1e-3)
    assert found.sync_confidence > 0
    assert "120 ms late" in found.text
    assert "by itself no sign of forgery" in found.text


def test_an_offset_that_does_not_stand_out_is_not_told():
    (found,) = measure_synchrony({FACE: [output(3, 0.001)]}, [FACE])
    assert found.av_offset_s is None
    assert "no offset" in found.text


def test_a_face_that_was_not_judged_has_no_synchrony():
    silent = BranchOutput.absent(FACE, "no speech here", 1)
    assert measure_synchrony({FACE: [output(3)]}, []) == ()
    assert measure_synchrony({FACE: [silent]}, [FACE]) == ()


def test_two_frames_either_way_are_in_time():
    assert offset_words(0.08) == offset_words(-0.08) == "the sound is in time with the lips"
    assert offset_words(-0.12).startswith("the sound is 120 ms early")


def test_a_face_under_unheard_sound_has_no_synchrony():
    assert measure_synchrony({FACE: [output(0, n_frames=0)]}, [FACE]) == ()


@pytest.mark.slow
@requires_shared
def test_late_and_early_sound_is_told_and_makes_no_real_clip_fake(tmp_path):
    detector = Detector.load(device="cpu")
    verdicts = {}
    for delay_s in (0.0, 0.12, -0.12, 0.5):
        clip = mux(*held_out_clips()[-1], tmp_path / f"{delay_s}.mkv", sound_delay_s=delay_s)
        verdicts[delay_s] = detector.scan(clip)
    in_time = verdicts[0.0]
    assert in_time.synchrony[0].av_offset_s == pytest.approx(0.0, abs=0.045)
    for delay_s, verdict in verdicts.items():
        (found,) = verdict.synchrony
        assert found.av_offset_s - in_time.synchrony[0].av_offset_s == pytest.approx(
            delay_s, abs=0.045
        )
        assert verdict.decision is not Decision.FAKE
        moved = verdict.branches["lip_sync"].fake_llr - in_time.branches["lip_sync"].fake_llr
        assert abs(moved) < 0.3
