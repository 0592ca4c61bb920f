"""Composed media hold what they are said to hold; sources are made in code."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from eval.compose import compose_all
from eval.compose_call import compose_call, read_mono
from eval.compose_video import Scene, compose_scene
from eval.loop_media import loop_media
from tests.shared import requires_shared


def write_tone(path: Path, hz: float, *, seconds: float = 1.0, rate: int = 16_000) -> Path:
    wave = 0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
    codec, form, sample = (
        ("libopus", "ogg", "flt") if path.suffix == ".opus" else ("flac", "flac", "s16")
    )
    with av.open(str(path), "w", format=form) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        samples = wave.astype(np.float32) if sample == "flt" else np.int16(wave * 32767)
        frame = av.AudioFrame.from_ndarray(samples[None], sample, "mono")
        frame.rate = rate
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def write_colour(path: Path, rgb: tuple[int, int, int], *, n_frames: int = 20) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for number in range(n_frames):
            picture = np.broadcast_to(np.uint8(rgb), (64, 64, 3))
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture))
            frame.pts, frame.time_base = number, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def share_at(wave: np.ndarray, hz: float, rate: int) -> float:
    """Share of the energy within 20 Hz of a frequency."""
    power = np.abs(np.fft.rfft(wave)) ** 2
    near = np.abs(np.fft.rfftfreq(wave.size, 1.0 / rate) - hz) < 20.0
    return float(power[near].sum() / power.sum())


@pytest.fixture
def call(tmp_path):
    left = [write_tone(tmp_path / "l.flac", 500.0)]
    right = [write_tone(tmp_path / "r.flac", 1500.0, seconds=0.7)]
    path = tmp_path / "call.wav"
    seconds = compose_call(left, right, path, at_least_s=12.0)
    return path, seconds


def channels(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(frames, axis=1).reshape(-1, 2).T / 32768.0


def test_each_speaker_has_a_channel_of_a_mu_law_call(call):
    path, seconds = call
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert (stream.codec_context.name, stream.rate, stream.channels) == ("pcm_mulaw", 8000, 2)
    left, right = channels(path)
    assert left.size / 8000 == pytest.approx(seconds, abs=0.001)
    assert seconds >= 12.0
    assert share_at(left, 500.0, 8000) > 0.95
    assert share_at(right, 1500.0, 8000) > 0.95


def test_speakers_take_turns_with_pauses_on_a_line_that_is_never_silent(call):
    left, right = (np.abs(channel) for channel in channels(call[0]))
    blocks = (left.size // 400) * 400
    talking = [channel[:blocks].reshape(-1, 400).max(1) > 0.05 for channel in (left, right)]
    assert not np.any(talking[0] & talking[1])
    assert np.mean(~(talking[0] | talking[1])) > 0.15
    longest_zero_run = max(
        sum(1 for _ in run) for zero, run in itertools.groupby(left == 0) if zero
    )
    assert longest_zero_run < 200


def test_same_call_every_time(call, tmp_path):
    again = tmp_path / "again.wav"
    compose_call([tmp_path / "l.flac"], [tmp_path / "r.flac"], again, at_least_s=12.0)
    assert again.read_bytes() == call[0].read_bytes()


def test_loop_of_a_call_is_as_long_as_asked_and_repeats_exactly(call, tmp_path):
    path, seconds = call
    looped = channels(loop_media(path, tmp_path / "long.wav", lasting_s=30.0))
    once = channels(path)
    assert 30.0 <= looped.shape[1] / 8000 < 30.0 + seconds
    assert np.array_equal(looped[:, once.shape[1] : 2 * once.shape[1]], once)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scene")
    path = folder / "scene.mp4"
    cut_s = compose_scene(
        Scene(
            talker=(
                write_colour(folder / "red.mp4", (220, 20, 20)),
                write_tone(folder / "red.opus", 440.0, rate=48_000),
            ),
            listener=write_colour(folder / "green.mp4", (20, 200, 20)),
            after_cut=(
                write_colour(folder / "blue.mp4", (20, 20, 220)),
                write_tone(folder / "blue.opus", 1320.0, rate=48_000),
            ),
        ),
        path,
    )
    return path, cut_s


def test_scene_shows_two_faces_then_cuts_to_one(scene):
    path, cut_s = scene
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        assert (video.codec_context.name, video.width, video.height) == ("h264", 1280, 720)
        frames = {round(frame.time * 25): frame for frame in container.decode(video)}
    cut = round(cut_s * 25)
    assert len(frames) == 2 * cut
    brightest = {
        number: [frames[number].to_ndarray(format="rgb24")[360, x].argmax() for x in (320, 960)]
        for number in (cut - 1, cut)
    }
    assert brightest[cut - 1] == [0, 1]  # red left, green right
    centre = frames[cut].to_ndarray(format="rgb24")[360, 640]
    assert centre.argmax() == 2


def test_scene_carries_the_sound_of_who_is_heard(scene):
    path, cut_s = scene
    wave = read_mono(path, 16_000)
    at = round(cut_s * 16_000)
    assert share_at(wave[1600 : at - 1600], 440.0, 16_000) > 0.9
    assert share_at(wave[at + 1600 : 2 * at - 1600], 1320.0, 16_000) > 0.9


def test_loop_of_a_scene_keeps_picture_and_sound_together(scene, tmp_path):
    path, cut_s = scene
    looped = loop_media(path, tmp_path / "long.mp4", lasting_s=5.0)
    with av.open(str(looped)) as container:
        times_s = [frame.time for frame in container.decode(video=0)]
    assert times_s[-1] >= 4.9
    assert np.diff(times_s) == pytest.approx(0.04, abs=0.001)
    at = round((2 * cut_s + 0.1) * 16_000)
    wave = read_mono(looped, 16_000)
    assert share_at(wave[at : at + round((cut_s - 0.2) * 16_000)], 440.0, 16_000) > 0.9


@requires_shared
def test_acceptance_media_are_written_with_their_truth(tmp_path):
    paths = compose_all(tmp_path / "media", parts=("calls", "clips"))  # scenes: above, faster
    truth = json.loads(paths[-1].read_text())
    assert {entry["label"] for entry in truth.values()} == {"real", "fake"}
    assert {path.name for path in paths[:-1]} == truth.keys()
    for path in paths[:-1]:
        with av.open(str(path)) as container:
            kinds = {stream.type for stream in container.streams}
            seconds = container.duration / av.time_base
        assert kinds == ({"audio"} if path.suffix == ".wav" else {"audio", "video"})
        assert seconds >= (60.0 if path.suffix == ".wav" else 6.0)
