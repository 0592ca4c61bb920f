"""One pass over a clip: windows, fresh parts, channels, faces and their clocks."""

import itertools
import tracemalloc

import cv2
import numpy as np
import pytest

from avdetect.errors import InputError
from avdetect.media.clip import AudioChunk, open_clip
from avdetect.observe import Observer, observe
from avdetect.types import total_seconds
from tests.paths import SAMPLES
from tests.synth import Pictures, Sound, constant_rate, encode, noise, speech_like


def read(path, **options):
    with open_clip(path) as clip:
        return list(observe(clip, **options))


@pytest.fixture(scope="module")
def portrait():
    picture = cv2.cvtColor(cv2.imread(str(SAMPLES / "portrait_real.jpg")), cv2.COLOR_BGR2RGB)
    return cv2.resize(picture[:400, 50:450], (320, 320), interpolation=cv2.INTER_AREA)


def shifted(picture, n, step=1):
    return [np.roll(picture, step * i, axis=1) for i in range(n)]


@pytest.mark.parametrize("seconds", [0.3, 4.0, 4.5, 7.0, 7.01, 13.2])
def test_fresh_parts_tile_the_clip_and_windows_are_full(tmp_path, seconds):
    samples = noise(seconds, 8000)
    found = read(
        encode(tmp_path / "a.wav", sound=Sound(samples=samples, rate_hz=8000, codec="pcm_s16le"))
    )
    assert found[0].segment.start_s == 0.0
    assert found[-1].segment.end_s == pytest.approx(seconds, abs=0.02)
    assert total_seconds(o.fresh for o in found) == pytest.approx(seconds, abs=0.05)
    for before, after in itertools.pairwise(found):
        assert after.fresh.start_s == before.segment.end_s
    for observation in found:
        length = observation.segment.duration_s
        assert length == pytest.approx(min(4.0, seconds), abs=0.02)
        assert len(observation.channels[0].waveform) == pytest.approx(length * 16000, abs=2)


def test_a_waveform_keeps_its_place_on_the_clock(tmp_path):
    samples = np.zeros(8 * 16000, np.float32)
    samples[int(5.5 * 16000)] = 0.9
    found = read(encode(tmp_path / "a.flac", sound=Sound(samples=samples, codec="flac")))
    places = [
        o.segment.start_s + int(np.abs(o.channels[0].waveform).argmax()) / 16000
        for o in found
        if np.abs(o.channels[0].waveform).max() > 0.1
    ]
    assert len(places) >= 2  # seen by overlapping windows, at the same time in each
    assert places == pytest.approx([5.5] * len(places), abs=1e-3)


def test_two_callers_are_two_channels_with_their_own_speech():
    first = read(SAMPLES / "call_synthetic.wav")[0]
    assert [c.channel for c in first.channels] == ["left", "right"]
    assert all(total_seconds(c.speech) > 2.0 for c in first.channels)
    assert all(3000 < c.bandwidth_hz <= 4000 for c in first.channels)


def test_a_copy_of_a_channel_is_named_and_not_judged_twice(tmp_path):
    sound = speech_like(4.0)
    path = encode(
        tmp_path / "a.wav", sound=Sound(samples=np.stack([sound, 0.5 * sound]), codec="pcm_s16le")
    )
    (only,) = read(path)
    assert [c.channel for c in only.channels] == ["left"]
    assert only.copies == (("right", "left"),)


def test_one_channel_may_be_chosen():
    found = read(SAMPLES / "call_synthetic.wav", channel="right")
    assert {c.channel for o in found for c in o.channels} == {"right"}


def test_a_channel_that_is_not_there_is_refused_by_name():
    with pytest.raises(InputError, match=r"call_synthetic.wav: no channel '5', it has 2"):
        read(SAMPLES / "call_synthetic.wav", channel="5")


def test_a_photograph_is_one_still_observation():
    (only,) = read(SAMPLES / "portrait_real.jpg")
    assert only.is_still
    assert len(only.faces) == 1
    assert only.faces[0].faces.shape == (1, 224, 224, 3)
    assert only.speaking_track is None


def test_the_portrait_speaks():
    found = read(SAMPLES / "portrait_forged.mp4")
    assert all(o.speaking_track == 0 for o in found)
    face = found[0].faces[0]
    assert len(face.frame_index) == 100
    assert face.mouths.shape == (100, 96, 96)


@pytest.mark.parametrize("fps", [12.5, 25.0, 50.0])
def test_faces_lie_on_the_25_hz_clock_whatever_the_source_rate(tmp_path, portrait, fps):
    times = constant_rate(int(1.2 * fps), fps)
    pictures = Pictures(pictures=shifted(portrait, len(times)), times_s=times)
    (only,) = read(encode(tmp_path / "a.mp4", pictures=pictures))
    (face,) = only.faces
    assert np.diff(face.frame_index).tolist() == [1] * (len(face.frame_index) - 1)
    assert len(face.frame_index) == pytest.approx(30, abs=2)
    lag_s = face.frame_index / 25 - face.frame_s
    assert np.abs(lag_s).max() < 0.55 / min(fps, 25) + 1e-3


def test_a_frozen_picture_is_not_held_for_ever(tmp_path, portrait):
    pictures = Pictures(pictures=shifted(portrait, 3), times_s=[0.0, 0.04, 3.0])
    first = read(encode(tmp_path / "a.mp4", pictures=pictures))[0]
    ticks = first.faces[0].frame_index
    assert not ((ticks > 20) & (ticks < 70)).any()


def test_sound_that_starts_late_starts_late(tmp_path, portrait):
    pictures = Pictures(pictures=shifted(portrait, 50), times_s=constant_rate(50, 25.0))
    sound = Sound(samples=speech_like(1.0), codec="aac", start_s=1.0)
    (only,) = read(encode(tmp_path / "a.mp4", pictures=pictures, sound=sound))
    waveform = only.channels[0].waveform
    assert np.abs(waveform[: int(0.95 * 16000)]).max() < 1e-2
    assert np.abs(waveform[int(1.05 * 16000) :]).max() > 0.05


def late_sound(start_s):
    """What is observed of 4 s of noise that start then, in chunks as they are decoded."""
    observer = Observer("late.wav")
    samples = noise(4.0)[None].astype(np.float32)
    for k in range(8):
        part = samples[:, 8000 * k : 8000 * (k + 1)]
        yield from observer.push(AudioChunk(start_s + k / 2, part, 16000, part))
    yield from observer.finish()


def test_a_long_lead_is_observed_piece_by_piece():
    spans, loudest = [], []
    tracemalloc.start()
    try:
        for observation in late_sound(600.0):
            (channel,) = observation.channels
            spans.append((observation.segment, observation.fresh))
            loudest.append(np.abs(channel.waveform).max())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 << 20  # the lead alone would be 38 MB
    assert [segment.start_s for segment, _ in spans] == [3.0 * k for k in range(201)]
    for (before, _), (_, fresh) in itertools.pairwise(spans):
        assert fresh.start_s == before.end_s
    for (segment, _), level in zip(spans, loudest, strict=True):
        assert bool(level > 0.0) is (segment.end_s > 600.0)
    np.testing.assert_array_equal(channel.waveform, noise(4.0).astype(np.float32))


def test_an_early_end_of_the_sound_does_not_hold_up_the_pictures(tmp_path, portrait):
    n = 25 * 24
    pictures = Pictures(pictures=[portrait[::4, ::4]] * n, times_s=constant_rate(n, 25.0))
    sound = Sound(samples=speech_like(2.0), codec="aac")
    found = read(encode(tmp_path / "a.mp4", pictures=pictures, sound=sound))
    assert found[-1].segment.end_s == pytest.approx(24.0, abs=0.1)
    assert found[0].channels and not found[-1].channels


def test_a_video_can_be_listened_to_alone():
    found = read(SAMPLES / "portrait_forged.mp4", pictures=False)
    assert all(observation.channels and not observation.faces for observation in found)
