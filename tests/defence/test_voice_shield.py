"""Shields over speech-like sound, against random but real networks and real codecs."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from avdetect.channels.codecs import through_codec
from avdetect.defence.fidelity import snr_db
from avdetect.defence.recordings import read_recording, shield_recording
from avdetect.defence.speaker_features import embed
from avdetect.defence.voice_shield import find_voice_change
from avdetect.errors import InputError
from tests.defence.shields import small_speaker
from tests.synth import Sound, encode, speech_like

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def encoders():
    return [partial(embed, small_speaker(seed)) for seed in (0, 1)]


def alike(encoder, first: np.ndarray, second: np.ndarray) -> float:
    with torch.no_grad():
        rows = [encoder(torch.from_numpy(np.asarray(w, np.float32))[None]) for w in (first, second)]
    return float((rows[0] * rows[1]).sum())


def test_what_encoders_hear_turns_away_and_stays_so_through_codecs(encoders):
    speech = speech_like(2.0)
    found = find_voice_change(speech, encoders, least_snr_db=25.0, n_steps=15)
    shielded = speech + found.change
    for encoder in encoders:
        assert alike(encoder, speech, shielded) < 0.99
        for codec in ("ulaw", "opus_16", "mp3_32"):
            unshielded = alike(encoder, speech, through_codec(speech, codec))
            assert alike(encoder, speech, through_codec(shielded, codec)) < unshielded


@pytest.mark.parametrize("gain", [0.02, 1.0, 1.99])
def test_the_bound_holds_for_soft_and_for_clipping_sound(tmp_path, encoders, gain):
    speech = np.clip(gain * speech_like(1.5), -1.0, 1.0)
    source = encode(tmp_path / "voice.wav", sound=Sound(samples=speech, codec="pcm_s16le"))
    target = tmp_path / "shielded.wav"
    done = shield_recording(source, target, encoders, least_snr_db=25.0)
    before, _, _ = read_recording(source)
    after, rate_hz, _ = read_recording(target)
    assert rate_hz == RATE_HZ
    assert snr_db(before, after) >= 24.99  # WAV readers divide by 32768, not 32767
    assert done.snr_db >= 25.0
    assert np.abs(after).max() <= 1.0


def test_every_channel_is_shielded_at_its_own_rate(tmp_path, encoders):
    stereo = np.stack([speech_like(1.5, 44_100, seed=1), speech_like(1.5, 44_100, seed=2)])
    sound = Sound(samples=stereo, rate_hz=44_100, codec="flac")
    source = encode(tmp_path / "call.flac", sound=sound)
    target = tmp_path / "call.shielded.flac"
    done = shield_recording(source, target, encoders, least_snr_db=30.0)
    before, _, _ = read_recording(source)
    after, rate_hz, _ = read_recording(target)
    assert rate_hz == 44_100
    assert after.shape == before.shape
    assert done.shielded_s == pytest.approx(3.0, abs=0.1)
    assert all((a != b).mean() > 0.5 for a, b in zip(before, after, strict=True))


def test_pauses_stay_as_they_were(encoders):
    speech = np.concatenate([speech_like(1.5), np.zeros(RATE_HZ, np.float32), speech_like(1.5)])
    found = find_voice_change(speech, encoders, least_snr_db=25.0, n_steps=5)
    pause = found.change[int(1.7 * RATE_HZ) : int(2.3 * RATE_HZ)]
    assert np.abs(pause).max() < 1e-6
    assert np.abs(found.change).max() > 1e-4


def test_silence_is_refused_and_nothing_is_written(tmp_path, encoders):
    silence = np.zeros(2 * RATE_HZ, np.float32)
    source = encode(tmp_path / "silence.wav", sound=Sound(samples=silence, codec="pcm_s16le"))
    target = tmp_path / "out.wav"
    with pytest.raises(InputError, match=r"no 1 s of sound"):
        shield_recording(source, target, encoders, least_snr_db=25.0)
    assert list(tmp_path.iterdir()) == [source]


def test_sound_too_quiet_for_its_bits_is_refused(tmp_path, encoders):
    faint = 0.001 * speech_like(1.5) / 0.5
    source = encode(tmp_path / "faint.wav", sound=Sound(samples=faint, codec="pcm_f32le"))
    with pytest.raises(InputError, match="too quiet"):
        shield_recording(source, tmp_path / "out.wav", encoders, least_snr_db=40.0)


def test_speechbrains_encoder_can_be_shielded_from(tmp_path):
    from avdetect.speech.speaker import SpeakerModel
    from tests.speech.test_speaker import save_speaker_model

    model = SpeakerModel.load(save_speaker_model(tmp_path / "ecapa"), torch.device("cpu"))
    speech = speech_like(1.2)
    found = find_voice_change(speech, [model.embed_tensor], least_snr_db=20.0, n_steps=6)
    plain = torch.from_numpy(speech)[None]
    vector = model.embed_tensor(plain)[0].detach().numpy()
    assert np.allclose(vector, model.embed(speech), atol=1e-5)
    assert alike(model.embed_tensor, speech, speech + found.change) < 0.999
