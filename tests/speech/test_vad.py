"""Speech activity equals the library's own, whatever the size of the pieces fed."""

import warnings

import numpy as np
import pytest
import torch

from avdetect.media.clip import open_clip
from avdetect.speech.vad import CHUNK_SAMPLES, VoiceActivity, speech_segments
from tests.paths import SAMPLES
from tests.synth import noise, tone


@pytest.fixture(scope="module")
def speech():
    with open_clip(SAMPLES / "call_synthetic.wav") as clip:
        left = np.concatenate([chunk.waveform[0] for chunk in clip.chunks()])
    return np.ascontiguousarray(left[: 8 * 16000])


def test_equal_to_the_library(speech):
    n_threads = torch.get_num_threads()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from silero_vad import load_silero_vad

        model = load_silero_vad()
    theirs = [
        model(torch.from_numpy(speech[i : i + CHUNK_SAMPLES]), 16000).item()
        for i in range(0, len(speech) - CHUNK_SAMPLES + 1, CHUNK_SAMPLES)
    ]
    torch.set_num_threads(n_threads)
    np.testing.assert_allclose(VoiceActivity().push(speech), theirs, atol=1e-4)


def test_pieces_of_any_size_give_the_same_probabilities(speech):
    whole = VoiceActivity().push(speech)
    stream, rng, at, found = VoiceActivity(), np.random.default_rng(0), 0, []
    while at < len(speech):
        size = int(rng.integers(1, 9000))
        found.append(stream.push(speech[at : at + size]))
        at += size
    np.testing.assert_allclose(np.concatenate(found), whole, atol=1e-5)


def test_speech_is_found_and_tones_and_noise_are_not(speech):
    spoken = speech_segments(VoiceActivity().push(speech), 0.0)
    assert sum(s.duration_s for s in spoken) > 5.0
    for quiet in (tone(4.0), noise(4.0), np.zeros(64000, np.float32)):
        assert speech_segments(VoiceActivity().push(quiet), 0.0) == ()


def test_segments_bridge_short_pauses_drop_bursts_and_start_where_told():
    probabilities = np.array(
        [0.9] * 10 + [0.1] * 2 + [0.9] * 10 + [0.1] * 20 + [0.9] * 2, np.float32
    )
    (only,) = speech_segments(probabilities, start_s=2.0)
    assert only.start_s == pytest.approx(2.0)
    assert only.end_s == pytest.approx(2.0 + 22 * 0.032)


def test_importing_leaves_torchs_thread_count_alone():
    before = torch.get_num_threads()
    VoiceActivity().push(np.zeros(2048, np.float32))
    assert torch.get_num_threads() == before
