"""Histories of codecs: how they are named, and made ones in real files."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.channels.codecs import through_codec
from avdetect.channels.histories import FILES, LINEAR, History, file_bytes, make_history
from avdetect.cues.codec_history import CUE, EITHER_LAW, TITLES, name_history
from avdetect.cues.codec_model import (
    CHECKPOINT,
    CONTAINERS,
    NAMES,
    allowed,
    container_family,
    law_on_steps,
    shipped_model,
)
from avdetect.cues.codec_traces import LATTICES, N_TRACES, codec_traces
from tests import synth
from tests.cues.hearing import RATE_HZ, listen_to_file
from tests.shared import requires_shared


def _shares(**of_pairs: float) -> np.ndarray:
    shares = np.zeros((len(NAMES), len(NAMES)))
    for pair, share in of_pairs.items():
        first, last = pair.split("_")
        shares[NAMES.index(first), NAMES.index(last)] = share
    return shares


def test_a_likely_pair_is_named_in_the_order_of_time():
    named = name_history(_shares(ulaw_opus=0.9, linear_opus=0.1), 0.6)
    assert named == (TITLES["ulaw"], TITLES["opus"])


def test_laws_that_are_likely_together_alone_are_left_open():
    assert name_history(_shares(ulaw_opus=0.45, alaw_opus=0.4, amr_opus=0.15), 0.6) == (
        EITHER_LAW,
        TITLES["opus"],
    )
    assert name_history(_shares(linear_ulaw=0.45, linear_alaw=0.4), 0.6) == (EITHER_LAW,)


def test_no_history_is_named_where_none_is_likely():
    assert name_history(_shares(ulaw_opus=0.4, amr_opus=0.35, linear_opus=0.25), 0.6) is None


def test_no_codec_at_all_is_a_history_too():
    assert name_history(_shares(linear_linear=0.9), 0.6) == ()


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_container_leaves_only_what_can_be(container):
    possible = allowed(container)
    if container == LINEAR:
        assert not possible[1:, 0].any()
        assert possible[0, 0]
    else:
        assert possible[:, NAMES.index(container)].all()
        assert possible.sum() == len(NAMES)


@pytest.mark.parametrize(
    ("family", "codec"), [(f, c) for f in FILES for c in [f]], ids=lambda value: str(value)
)
def test_the_engine_reads_a_made_file_as_its_family(family, codec):
    from avdetect.media.clip import open_clip

    for setting in range(len(FILES[family])):
        with open_clip(file_bytes(synth.speech_like(1.0), family, setting)) as clip:
            assert container_family(clip.streams[0].codec) == codec


def test_lossless_and_unlearned_containers_are_told_apart():
    assert container_family("pcm_s16le") == container_family("flac") == LINEAR
    assert container_family("vorbis") is None


def test_a_made_history_keeps_length_and_voice():
    speech = synth.speech_like(3.0)
    history = History(first="ulaw", last="opus", in_own_file=True)
    made = make_history(speech, history, np.random.default_rng(0))
    assert len(made) == len(speech)
    assert np.corrcoef(made, speech)[0, 1] > 0.8


def test_impossible_histories_are_refused():
    with pytest.raises(ValueError, match="was the last"):
        History(first="ulaw")
    with pytest.raises(ValueError, match="no file of its own"):
        History(last="g722", in_own_file=True)


@pytest.mark.parametrize(("law", "other"), [("ulaw", "alaw"), ("alaw", "ulaw")])
def test_samples_of_g711_lie_on_the_steps_of_their_law(law, other):
    steps = dict(zip(("ulaw", "alaw"), range(N_TRACES)[LATTICES], strict=True))
    traces = codec_traces(through_codec(synth.speech_like(3.0), law))
    assert traces is not None
    assert traces.shape == (N_TRACES,)
    assert np.isfinite(traces).all()
    assert traces[steps[law]] < 0.75 * traces[steps[other]]
    assert law_on_steps(traces)[NAMES.index(law)] == 0.0
    assert law_on_steps(traces)[NAMES.index(other)] < 0.0


def test_silence_leaves_no_traces():
    assert codec_traces(np.zeros(4 * RATE_HZ, np.float32)) is None
    measurement, curve = listen_to_file(CUE, (np.zeros(4 * RATE_HZ, np.float32), RATE_HZ))
    assert measurement.missing is not None
    assert "too little sound" in measurement.missing
    assert curve is None


def test_a_file_of_an_unlearned_codec_is_left_open(tmp_path):
    sound = synth.Sound(samples=synth.speech_like(3.0), codec="wmav2", rate_hz=16_000)
    measurement, _ = listen_to_file(CUE, synth.encode(tmp_path / "a.wma", sound=sound))
    assert measurement.missing is not None
    assert "wmav2" in measurement.missing


def test_without_its_model_the_cue_abstains_and_names_it(tmp_path, monkeypatch):
    (tmp_path / "default.toml").write_text("[checkpoints]\n")
    monkeypatch.setenv("AVDETECT_MODELS", str(tmp_path))
    measurement, _ = listen_to_file(CUE, (synth.speech_like(3.0), RATE_HZ))
    assert measurement.missing is not None
    assert CHECKPOINT in measurement.missing


def test_the_shipped_model_gives_a_distribution_over_what_is_possible():
    traces = codec_traces(synth.speech_like(3.0))
    assert traces is not None
    model = shipped_model()
    assert model is not None
    for container in CONTAINERS:
        found = np.exp(model.log_probabilities(traces, container))
        assert found.sum() == pytest.approx(1.0)
        assert not found[~allowed(container)].any()


@requires_shared
@pytest.mark.slow
def test_a_mu_law_call_sent_on_as_an_opus_file_is_named():
    from eval.cues.made.speech import sentences

    speech = sentences("modern", 8.0, 8, np.random.default_rng(3))
    named = 0
    for waveform in speech:
        call = through_codec(waveform, "ulaw")
        measurement, _ = listen_to_file(CUE, file_bytes(call, "opus", 5))
        named += "G.711" in measurement.text and measurement.text.count("then Opus") == 1
    assert named >= 4
