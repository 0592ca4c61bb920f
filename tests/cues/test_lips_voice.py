"""Lips that move with the voice are told from lips that move with another."""

import numpy as np
import pytest

from avdetect.cues.lips_voice import CUE
from avdetect.observation import ChannelAudio
from avdetect.types import Segment
from tests import talking_mouth
from tests.cues.meshes import face_window, observations, read, still_meshes


def speaking(seconds, *, heard=0, delay=0, spoken=True):
    """A mouth of speech number 0 beside the sound of speech ``heard``, late by ``delay`` frames."""
    n = round(25 * seconds)
    lips = talking_mouth.opening(n, 0)
    sound = np.roll(talking_mouth.opening(n, heard), delay)
    meshes = still_meshes(n)
    meshes[:, 14, 1] += 10.0 * lips
    speech = (Segment(0.0, seconds),) if spoken else ()
    channel = ChannelAudio(channel="mono", waveform=talking_mouth.voice(sound, 1), speech=speech)
    reading = read(CUE, observations(face_window(meshes), channel))
    (measurement,) = reading.measurements()
    return measurement, reading


@pytest.mark.parametrize("delay", [0, 5])
def test_lips_follow_their_own_voice_at_its_lag(delay):
    measurement, reading = speaking(12.0, delay=delay)
    assert measurement.features[0] > 0.5
    assert measurement.features[2] == pytest.approx(delay / 25, abs=0.041)
    assert reading.figures()[0].marks == pytest.approx((-delay / 25,), abs=0.041)


def test_lips_do_not_follow_another_voice():
    own, _ = speaking(12.0)
    foreign, _ = speaking(12.0, heard=9)
    assert foreign.features[0] < own.features[0] - 0.2


def test_a_face_without_a_voice_abstains():
    measurement, reading = speaking(8.0, spoken=False)
    assert measurement.missing is not None and "speaking" in measurement.missing
    assert reading.figures() == []


def test_a_silent_video_abstains():
    (measurement,) = read(CUE, observations(face_window(still_meshes(200)))).measurements()
    assert measurement.missing is not None
