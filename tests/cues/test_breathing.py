"""Breaths that were put into pauses are heard there, through real codecs, and nothing else is."""

import numpy as np
import pytest

from avdetect.cues.base import Medium
from avdetect.cues.breathing import CUE, LEAST_PAUSE_S, LEAST_S
from avdetect.observation import ChannelAudio, Observation
from avdetect.types import Part, Segment
from eval.cues.made.breathing import breathing_voice, heard
from tests import synth
from tests.cues.meshes import read

RATE = 16000


def call(*, breath=None, stretches=4, pause_s=0.8, seed=0):
    """Stretches of speech with pauses, in each of which ``breath(n)`` is mixed."""
    rng = np.random.default_rng(seed)
    parts, speech, at = [], [], 0.0
    for index in range(stretches):
        word = synth.speech_like(1.5, seed=index) * 0.5
        parts.append(word)
        speech.append(Segment(at, at + 1.5))
        at += 1.5
        if index < stretches - 1:
            pause = np.zeros(round(pause_s * RATE))
            if breath is not None:
                n = round(0.35 * RATE)
                pause[RATE // 5 : RATE // 5 + n] += breath(n, rng)
            parts.append(pause)
            at += pause_s
    sound = np.concatenate(parts) + 3e-4 * rng.standard_normal(round(at * RATE))
    return ChannelAudio(channel="left", waveform=sound.astype(np.float32), speech=tuple(speech))


def observations(channel):
    end_s = len(channel.waveform) / RATE
    cut = []
    for start_s in np.arange(0.0, end_s - 1.0, 3.0).tolist():
        segment = Segment(start_s, min(start_s + 4.0, end_s))
        spoken = (piece.overlap(segment) for piece in channel.speech)
        part = ChannelAudio(
            channel=channel.channel,
            waveform=channel.waveform[round(start_s * RATE) : round(segment.end_s * RATE)],
            speech=tuple(piece for piece in spoken if piece is not None),
        )
        fresh = Segment(start_s + (1.0 if start_s else 0.0), segment.end_s)
        cut.append(Observation(segment=segment, fresh=fresh, channels=(part,)))
    return cut


def found(channel):
    reading = read(CUE, observations(channel))
    (measurement,) = reading.measurements()
    return measurement, reading


def air(n, rng):
    return 0.01 * rng.standard_normal(n) * np.hanning(n) ** 0.5


def tone(n, rng):
    return 0.014 * np.sin(2 * np.pi * 180 * np.arange(n) / RATE) * np.hanning(n) ** 0.5


def bump(n, rng):
    slow = np.convolve(rng.standard_normal(n + 200), np.ones(201) / 14, "valid")
    return 0.02 * slow * np.hanning(n) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["opus_24", "aac_48", "ulaw"])
def test_breaths_are_heard_at_their_times_through_a_codec(codec):
    sound, breaths, n_pauses = breathing_voice(np.random.default_rng(5))
    assert 0 < len(breaths) < n_pauses
    marks = heard(sound, codec)
    assert len(marks) == len(breaths)
    assert marks == pytest.approx(breaths, abs=0.15)


def test_every_breath_is_counted_once_though_observations_overlap():
    measurement, reading = found(call(breath=air))
    assert measurement.part == Part(channel="left") and measurement.medium is Medium.SOUND
    assert measurement.text.startswith("3 breaths in 3 pauses")
    assert measurement.value == pytest.approx(3 / (8.4 / 60), rel=0.02)
    assert measurement.features[1] == 1.0
    (curve,) = reading.figures()
    assert curve.marks == pytest.approx((1.7, 4.0, 6.3), abs=0.12)
    assert len(curve.bands) == 3


@pytest.mark.parametrize("other", [None, tone, bump], ids=["nothing", "a hum", "a bump"])
def test_what_is_no_breath_is_not_counted(other):
    measurement, _ = found(call(breath=other))
    assert measurement.text.startswith("0 breaths in 3 pauses")
    assert measurement.features[:2] == (0.0, 0.0)


def test_how_loud_pauses_are_does_not_depend_on_the_level_of_the_call():
    loud = call(breath=air)
    quiet = ChannelAudio(channel="left", waveform=0.25 * loud.waveform, speech=loud.speech)
    assert found(quiet)[0].features == pytest.approx(found(loud)[0].features, abs=0.02)


def test_silence_before_and_after_the_words_is_no_pause():
    speech = call(stretches=1)
    padded = ChannelAudio(
        channel="left",
        waveform=np.concatenate([np.zeros(5 * RATE), speech.waveform, np.zeros(5 * RATE)]).astype(
            np.float32
        ),
        speech=(Segment(5.0, 6.5),),
    )
    measurement, reading = found(padded)
    assert measurement.missing is not None
    assert reading.figures() == []


def test_a_short_recording_abstains_and_says_how_long_it_must_be():
    measurement, _ = found(call(breath=air, stretches=2))
    assert measurement.missing is not None and f"{LEAST_S:.0f} s needed" in measurement.missing


def test_speech_without_a_pause_abstains():
    measurement, _ = found(call(stretches=6, pause_s=LEAST_PAUSE_S / 4))
    assert measurement.missing is not None and "no pause" in measurement.missing
