"""A voice beside an enrolled one: alike to itself, reasons where nothing can be said."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from avdetect.errors import UsageError
from avdetect.media.clip import open_clip
from avdetect.observation import ChannelAudio, Observation
from avdetect.observe import observe
from avdetect.reference import VoiceComparison, enrol
from avdetect.speech.speaker import SpeakerModel
from avdetect.types import Segment
from tests.paths import SAMPLES
from tests.speech.test_speaker import save_speaker_model
from tests.synth import Sound, encode, tone

CALL = SAMPLES / "call_synthetic.wav"


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> SpeakerModel:
    folder = save_speaker_model(tmp_path_factory.mktemp("m") / "ecapa")
    return SpeakerModel.load(folder, torch.device("cpu"))


@pytest.fixture(scope="module")
def voices() -> np.ndarray:
    """(2, S) the two speakers of the sample call."""
    with open_clip(CALL) as clip:
        chunks = [chunk.waveform for chunk in clip.chunks(want_video=False)]
    return np.concatenate(chunks, axis=1)


@pytest.fixture(scope="module")
def customer(tmp_path_factory, voices):
    path = tmp_path_factory.mktemp("r") / "customer.wav"
    return encode(path, sound=Sound(samples=voices[0], codec="pcm_s16le"))


def compare(enrolled, path):
    comparison = VoiceComparison(enrolled)
    with open_clip(path) as clip:
        for observation in observe(clip, pictures=False):
            comparison.add(observation)
    return comparison.verdict()


def test_a_recording_is_alike_to_itself(model, customer):
    enrolled = enrol(customer, model)
    found = compare(enrolled, customer)
    (part,) = found.parts
    assert part.similarity == pytest.approx(1.0, abs=1e-6)
    assert part.speech_s == pytest.approx(found.speech_s, abs=0.01)
    assert found.speech_s > 5 and found.missing is None
    assert found.path == str(customer) and len(found.sha256) == 64
    assert (found.model.id, found.model.sha256) == ("ecapa", model.sha256)


def test_each_channel_is_compared_on_its_own(model, customer):
    found = compare(enrol(customer, model), CALL)
    left, right = found.parts
    assert (left.channel, right.channel) == ("left", "right")
    assert right.similarity < left.similarity <= 1.0


def test_overlapping_observations_are_heard_once(model, customer):
    sound = np.full(4 * 16_000, 0.1, np.float32)
    comparison = VoiceComparison(enrol(customer, model))
    for start_s, fresh_s in ((0.0, 0.0), (3.0, 4.0)):
        segment = Segment(start_s, start_s + 4.0)
        channel = ChannelAudio(channel="mono", waveform=sound, speech=(segment,))
        fresh = Segment(fresh_s, segment.end_s)
        comparison.add(Observation(segment=segment, fresh=fresh, channels=(channel,)))
    assert comparison.verdict().parts[0].speech_s == pytest.approx(7.0)


def test_without_a_model_the_seconds_stay_and_the_reason_is_given(customer):
    found = compare(enrol(customer, None, no_model="no speaker model"), customer)
    assert found.missing == "no speaker model" and found.model is None
    assert found.parts[0].similarity is None
    assert found.parts[0].speech_s == pytest.approx(found.speech_s, abs=0.01)


def test_too_little_speech_on_either_side_is_said(model, customer, voices, tmp_path):
    short = tmp_path / "short.wav"
    encode(short, sound=Sound(samples=voices[0][16_000:40_000], codec="pcm_s16le"))
    here = compare(enrol(customer, model), short)
    assert here.missing is None and here.parts[0].similarity is None
    assert here.parts[0].missing.startswith("too little speech here: 1.")
    there = compare(enrol(short, model), customer)
    assert there.missing.startswith("too little speech in the reference: 1.")
    assert there.parts[0].similarity is None


def test_a_clip_without_speech_has_no_part(model, customer, tmp_path):
    hum = encode(tmp_path / "hum.wav", sound=Sound(samples=tone(2.0), codec="pcm_s16le"))
    found = compare(enrol(customer, model), hum)
    assert (found.parts, found.missing) == ((), "no speech found in the clip")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone.wav", "cannot be used"),
        ("notes.wav", "cannot be used"),
        ("portrait_real.jpg", "no sound"),
        ("call_synthetic.wav", "channels left, right"),
    ],
)
def test_a_reference_that_is_none_is_refused_by_name(tmp_path, name, words):
    path = SAMPLES / name if (SAMPLES / name).exists() else tmp_path / name
    if name == "notes.wav":
        path.write_text("no sound at all")
    with pytest.raises(UsageError, match=words) as caught:
        enrol(path, None)
    assert name in str(caught.value)


def test_a_video_is_only_listened_to(model):
    enrolled = enrol(SAMPLES / "portrait_forged.mp4", model)
    assert enrolled.speech_s > 3 and enrolled.missing is None
