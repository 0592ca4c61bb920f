"""What cues that listen share: frames given once, pitch found."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.cues.pitch import FRAME, HOP, track_pitch
from avdetect.cues.sounds import FrameGrid, inside, thinned
from avdetect.types import Segment
from tests import synth
from tests.cues.hearing import RATE_HZ, cut_up, pulses


@pytest.mark.parametrize("seconds", [2.0, 4.0, 9.3, 13.0])
def test_every_frame_of_overlapping_observations_is_given_once(seconds):
    waveform = np.arange(round(seconds * RATE_HZ), dtype=np.float32)
    grid, heard, times = FrameGrid(FRAME, HOP), [], []
    for observation in cut_up(waveform):
        frames, times_s = grid.take(observation.channels[0], observation.segment.start_s)
        heard += frames[:, 0].tolist()
        times += times_s.tolist()
    expected = np.arange(0, len(waveform) - FRAME + 1, HOP)
    np.testing.assert_array_equal(heard, expected)
    np.testing.assert_allclose(times, (expected + FRAME / 2) / RATE_HZ)


def test_sound_shorter_than_a_frame_gives_none():
    observation = cut_up(np.zeros(FRAME - 1, np.float32))[0]
    frames, times_s = FrameGrid(FRAME, HOP).take(observation.channels[0], 0.0)
    assert frames.shape == (0, FRAME)
    assert len(times_s) == 0


@pytest.mark.parametrize("hertz", [85.0, 123.4, 210.0, 330.0])
def test_pitch_of_a_steady_voice_is_found_within_half_a_per_cent(hertz):
    frames = np.lib.stride_tricks.sliding_window_view(pulses(1.0, hertz), FRAME)[::HOP]
    track = track_pitch(frames)
    assert track.voiced.mean() > 0.95
    np.testing.assert_allclose(track.hertz[track.voiced], hertz, rtol=0.005)


def test_noise_is_not_voiced():
    frames = np.lib.stride_tricks.sliding_window_view(synth.noise(1.0), FRAME)[::HOP]
    assert track_pitch(frames).voiced.mean() < 0.05


def test_runs_are_voiced_frames_in_a_row():
    voice = np.concatenate([pulses(0.5, 120.0), np.zeros(4800, np.float32), pulses(0.2, 150.0)])
    track = track_pitch(np.lib.stride_tricks.sliding_window_view(voice, FRAME)[::HOP])
    runs = track.runs(5)
    assert len(runs) == 2
    assert all(track.voiced[run].all() for run in runs)


def test_times_are_inside_half_open_segments():
    times = np.array([0.0, 1.0, 1.5, 2.0])
    assert inside(times, [Segment(1.0, 2.0)]).tolist() == [False, True, True, False]


def test_thinned_curves_have_at_most_so_many_points():
    x, y = thinned(np.arange(5001.0), np.arange(5001.0), 2000)
    assert len(x) == len(y) <= 2000
    assert x[0] == 0.0
