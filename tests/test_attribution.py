"""Occlusion finds the patches that a known judge looks at, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import librosa
import numpy as np
import pytest
import torch

from avdetect.attribution import EDGES_HZ, attribute
from avdetect.branches.base import BranchOutput, PartScore
from avdetect.branches.voice_clone import build_voice_clone
from avdetect.calibration import Calibration
from avdetect.exhibits import SoundBite
from avdetect.types import Part, Segment
from tests.branches.test_voice_clone import checkpoint
from tests.synth import noise

CALIBRATION = Calibration(scale=2.0, offset=-1.0, limit=3.0)


def stretch(seconds: float = 4.0, start_s: float = 9.0) -> SoundBite:
    segment = Segment(start_s, start_s + seconds)
    return SoundBite(
        channel="left", segment=segment, waveform=noise(seconds, seed=4), speech=(segment,)
    )


class PatchJudge:
    """Scores a clip by the mean amplitude in one patch of its spectrogram; higher is more fake."""

    name, token_width = "voice_clone", 1

    def __init__(self, band: tuple[float, float], time: tuple[float, float], sign: float) -> None:
        self._band, self._time, self._sign = band, time, sign
        self.n_judged = 0

    def run(self, observations):
        return [[self._judge(observation)] for observation in observations]

    def pool(self, part, outputs):
        (output,) = outputs
        score = float(output.scores[0])
        return PartScore(part=part, segment=None, score=score, quality=1.0)

    def _judge(self, observation) -> BranchOutput:
        self.n_judged += 1
        (channel,) = observation.channels
        level = np.abs(librosa.stft(channel.waveform, n_fft=512, hop_length=128))
        low, high = (round(hertz / 31.25) for hertz in self._band)
        start, end = (round(second * 125) for second in self._time)
        score = self._sign * level[low:high, start:end].mean()
        return replace(
            BranchOutput.absent(Part(channel=channel.channel), "", 1),
            scores=np.array([score], np.float32),
        )


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(("band", "column"), [(0, 0), (3, 5), (7, 7)])
def test_the_patch_a_judge_looks_at_is_found(band, column, sign):
    judge = PatchJudge(EDGES_HZ[band : band + 2], (column / 2, column / 2 + 0.5), sign)
    bite = stretch()
    found = attribute(bite, judge, CALIBRATION)
    others = found.falls.copy()
    others[band, column] = 0
    # noise of one level: a patch muffled by 20 dB takes nine tenths of the score with it
    (whole,) = [judge.pool(None, outputs).score for outputs in judge.run([_clip(bite)])]
    assert found.falls[band, column] == pytest.approx(0.9 * 2.0 * whole, rel=0.1)
    assert np.abs(others).max() < 0.1 * abs(found.falls[band, column])


def test_falls_are_in_llr_even_beyond_the_limit_of_the_claim():
    judge = PatchJudge((0, 500), (0.0, 0.5), 1.0)
    loud = stretch()
    loud = replace(loud, waveform=50 * loud.waveform)
    found = attribute(loud, judge, CALIBRATION)
    assert found.fake_llr == CALIBRATION.limit
    assert found.falls[0, 0] > CALIBRATION.limit


def test_a_stretch_of_a_telephone_line_is_judged_as_one():
    class LineJudge(PatchJudge):
        def _judge(self, observation):
            heard.add(observation.channels[0].bandwidth_hz)
            return super()._judge(observation)

    heard = set()
    attribute(
        replace(stretch(), bandwidth_hz=3400.0), LineJudge((0, 500), (0.0, 0.5), 1.0), CALIBRATION
    )
    assert heard == {3400.0}


def test_patches_tile_a_stretch_of_any_length():
    judge = PatchJudge((0, 500), (0.0, 0.5), 1.0)
    found = attribute(stretch(1.7), judge, CALIBRATION)
    assert found.falls.shape == (8, 4)
    assert found.edges_s == pytest.approx((0.0, 0.5, 1.0, 1.5, 1.7))
    assert judge.n_judged == 1 + 8 * 4
    assert found.spectrogram.shape[0] == 257


def test_the_real_branch_is_explained_alike_twice():
    branch = build_voice_clone(checkpoint(), torch.device("cpu"))
    bite = stretch(1.0)
    first, again = (attribute(bite, branch, CALIBRATION) for _ in range(2))
    assert np.array_equal(first.falls, again.falls)
    assert np.abs(first.falls).max() > 0
    assert np.isfinite(first.falls).all()


def test_a_stretch_of_too_little_speech_is_not_explained():
    branch = build_voice_clone(checkpoint(), torch.device("cpu"))
    bite = replace(stretch(), speech=(Segment(9.0, 9.5),))
    assert attribute(bite, branch, CALIBRATION) is None


def _clip(bite):
    from avdetect.observation import ChannelAudio, Observation

    channel = ChannelAudio(channel=bite.channel, waveform=bite.waveform, speech=bite.speech)
    return Observation(segment=bite.segment, fresh=bite.segment, channels=(channel,))
