"""Files in, attributions and groups out; pictures by makers drawn in code, sound by real codecs."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from avdetect.checkpoint import ROLES, list_checkpoints, read_card
from avdetect.errors import CheckpointError
from avdetect.media.clip import open_clip
from avdetect.tracing.gather import gather
from avdetect.tracing.pictures import PICTURE_MODEL, load_picture_tracer
from avdetect.tracing.trace import Tracers, trace_files, trace_pictures, trace_voices
from avdetect.tracing.voices import VOICE_MODEL, load_voice_tracer, measure_voice
from tests import synth
from tests.tracing.made_sources import MAKERS, noisy
from tests.tracing.made_tracer import made_tracer


def save(path, picture):
    assert cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return str(path)


@pytest.fixture
def pictures(tmp_path):
    """Two pictures by each maker, in turn."""
    rng = np.random.default_rng(8)
    return [
        save(tmp_path / f"{turn}_{name}.png", maker(rng))
        for turn in (0, 1)
        for name, maker in MAKERS.items()
    ]


def test_pictures_are_attributed_to_their_makers(pictures):
    found = trace_pictures(pictures, made_tracer())
    assert [trace.source for trace in found.traces] == list(MAKERS) * 2
    assert all(trace.reason is None and trace.n_looked_at == 9 for trace in found.traces)


def test_pictures_of_one_maker_are_grouped(pictures):
    groups = {group.paths for group in trace_pictures(pictures, made_tracer()).groups}
    n = len(MAKERS)
    assert groups == {(pictures[i], pictures[i + n]) for i in range(n)}


def test_picture_by_nobody_known_is_unknown_with_the_nearest(tmp_path):
    path = save(tmp_path / "new.png", noisy(np.random.default_rng(4)))
    (trace,) = trace_pictures([path], made_tracer()).traces
    assert trace.source == "unknown"
    assert "unlike every known source" in str(trace.reason)
    assert len(trace.candidates) == 3


def test_small_picture_is_refused_with_its_size(tmp_path):
    path = save(tmp_path / "small.png", np.zeros((50, 200, 3), np.uint8))
    (trace,) = trace_pictures([path], made_tracer()).traces
    assert trace.reason == "the picture is too small: 200x50 px, 64 px each way are needed"
    assert (trace.source, trace.candidates) == ("unknown", ())


def test_picture_that_decoding_makes_smaller_is_refused(tmp_path):
    path = save(tmp_path / "large.png", np.zeros((100, 2000, 3), np.uint8))
    (trace,) = trace_pictures([path], made_tracer()).traces
    assert "larger than 1920 px" in str(trace.reason)


def test_unreadable_file_fails_alone(pictures, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"nothing")
    found = trace_pictures([str(bad), str(tmp_path / "absent.png"), pictures[0]], made_tracer())
    assert [failure.code for failure in found.failures] == ["unreadable_media", "not_found"]
    assert [trace.path for trace in found.traces] == [pictures[0]]


def test_sound_file_holds_no_picture(tmp_path):
    path = tmp_path / "tone.wav"
    path.write_bytes(synth.wav_bytes(synth.tone(1.0), 16_000))
    (failure,) = trace_pictures([str(path)], made_tracer()).failures
    assert failure.message.endswith("holds no picture to trace")


def test_result_is_plain_json(pictures):
    found = json.loads(json.dumps(trace_pictures(pictures[:2], made_tracer()).to_dict()))
    assert found["traces"][0]["source"] == next(iter(MAKERS))


def test_still_is_looked_at_whole_and_at_its_own_pixels(pictures):
    with open_clip(pictures[0]) as clip:
        found = gather(clip, sound=False)
    assert [p.shape for p in found.pictures] == [(128, 128, 3)]


def test_video_without_faces_is_looked_at_in_whole_frames_half_a_second_apart(tmp_path):
    times_s = synth.constant_rate(60, 25.0)
    pictures = synth.numbered_pictures(times_s, width=128, height=96)
    path = synth.encode(tmp_path / "film.mp4", pictures=pictures)
    with open_clip(path) as clip:
        found = gather(clip)
    assert [p.shape for p in found.pictures] == [(96, 128, 3)] * 5
    assert found.sound.size == 0


def test_small_video_is_refused(tmp_path):
    pictures = synth.numbered_pictures(synth.constant_rate(10, 25.0), width=64, height=48)
    path = synth.encode(tmp_path / "film.mp4", pictures=pictures)
    (trace,) = trace_pictures([str(path)], made_tracer()).traces
    assert trace.reason == "the face is too small: 64x48 px, 64 px each way are needed"


def test_silence_is_no_voice():
    measured, reason = measure_voice(np.zeros((1, 32_000), np.float32))
    assert measured is None
    assert str(reason).startswith("too little speech")


@pytest.mark.parametrize(
    ("name", "load"), [(PICTURE_MODEL, load_picture_tracer), (VOICE_MODEL, load_voice_tracer)]
)
def test_shipped_checkpoint_loads_and_its_role_is_known(name, load):
    assert name in list_checkpoints()
    assert read_card(name).role in ROLES
    assert load().name == name


def test_checkpoint_of_another_role_is_refused():
    with pytest.raises(CheckpointError, match="picture_trace is needed"):
        load_picture_tracer(VOICE_MODEL)
    with pytest.raises(CheckpointError, match="voice_trace is needed"):
        load_voice_tracer(PICTURE_MODEL)


def test_shipped_tracers_give_the_same_answer_twice(pictures, tmp_path):
    path = tmp_path / "speech.wav"
    path.write_bytes(synth.wav_bytes(synth.speech_like(4.0), 16_000))
    files = [*pictures[:2], str(path)]
    first = trace_files(files, Tracers(picture=load_picture_tracer(), voice=load_voice_tracer()))
    again = trace_files(files, Tracers(picture=load_picture_tracer(), voice=load_voice_tracer()))
    assert first == again
    assert len(first.traces) == 3


def test_voice_that_no_vocoder_made_like_this_is_not_named_for_sure(tmp_path):
    path = tmp_path / "noise.wav"
    path.write_bytes(synth.wav_bytes(synth.noise(4.0), 16_000))
    (trace,) = trace_voices([str(path)], load_voice_tracer()).traces
    assert trace.source == "unknown"
    assert trace.reason
