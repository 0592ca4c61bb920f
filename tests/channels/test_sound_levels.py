from __future__ import annotations

import numpy as np
import pytest

from avdetect.channels.codecs import CODECS
from avdetect.channels.picture_levels import PICTURE_LEVELS
from avdetect.channels.sound_levels import SOUND_LEVELS
from tests.channels.test_codecs import lag_ms
from tests.channels.test_degrade import level
from tests.synth import noise, speech_like

FAMILIES = {
    *("codec", "loss", "loss_concealed", "band", "noise", "room", "replay", "resample"),
    *("clipping", "agc", "gain", "laundering", "silence"),
}
SPEECH = np.concatenate([noise(0.2, amplitude=2e-4), speech_like(0.8)]).astype(np.float32)


@pytest.mark.parametrize("name", SOUND_LEVELS)
def test_a_level_keeps_the_contract(name: str) -> None:
    step = SOUND_LEVELS[name].sound
    assert step is not None
    before = SPEECH.copy()
    once, again = (step(SPEECH, np.random.default_rng(5)) for _ in range(2))
    assert once.shape == SPEECH.shape
    assert once.dtype == np.float32
    assert np.isfinite(once).all()
    assert np.array_equal(once, again)
    assert np.array_equal(SPEECH, before)  # what it was given is untouched
    if "loss" not in name:  # a second of speech may lose nothing
        assert not np.array_equal(once, SPEECH)
    # A vowel's harmonics correlate with their own echoes: rooms are asked with noise.
    asked = noise(1.0) if SOUND_LEVELS[name].family in ("room", "replay") else SPEECH
    assert abs(lag_ms(asked, step(asked, np.random.default_rng(5)))) < 1.0


@pytest.mark.parametrize("name", ["opus_12", "amr_7.4", "room_0.4s_1m", "white_20db", "agc"])
def test_a_level_bears_silence_and_very_short_clips(name: str) -> None:
    step = SOUND_LEVELS[name].sound
    assert step is not None
    for sound in (np.zeros(3_000, np.float32), SPEECH[5_000:5_011]):
        heard = step(sound, np.random.default_rng(0))
        assert heard.shape == sound.shape
        assert np.isfinite(heard).all()


def test_every_family_is_there_and_names_are_its_keys() -> None:
    assert {level.family for level in SOUND_LEVELS.values()} == FAMILIES
    assert all(name == level.name for name, level in SOUND_LEVELS.items())
    assert not set(SOUND_LEVELS) & set(PICTURE_LEVELS)


def test_every_codec_is_a_level_and_usual_rates_are_field() -> None:
    assert set(CODECS) <= set(SOUND_LEVELS)
    field = {name for name in CODECS if SOUND_LEVELS[name].severity == "field"}
    assert {"ulaw", "alaw", "g722", "amr_7.4", "amr_12.2", "opus_12", "opus_24"} <= field
    assert {"mp3_64", "mp3_128", "aac_48", "aac_64"} <= field
    assert not {"amr_4.75", "amr_6.7", "opus_6", "mp3_16", "aac_16"} & field


@pytest.mark.parametrize("kind", ["white", "pink", "babble", "hum"])
def test_noise_at_20_db_and_more_is_field(kind: str) -> None:
    for snr_db in (30, 20, 15, 5):
        rung = SOUND_LEVELS[f"{kind}_{snr_db}db"]
        assert rung.sound is not None
        assert rung.severity == ("field" if snr_db >= 20 else "stress")
        added = rung.sound(SPEECH, np.random.default_rng(0)) - SPEECH
        assert 20 * np.log10(level(SPEECH) / level(added)) == pytest.approx(snr_db, abs=0.5)


def test_concealment_brings_a_lossy_call_nearer_to_one_without_loss() -> None:
    speech = speech_like(4.0)
    whole, zeros, filled = (
        SOUND_LEVELS[name].sound for name in ("ulaw", "ulaw_loss_10", "ulaw_loss_10_concealed")
    )
    assert whole and zeros and filled
    clean = whole(speech, np.random.default_rng(2))
    errors = [
        np.mean((step(speech, np.random.default_rng(2)) - clean) ** 2) for step in (zeros, filled)
    ]
    assert errors[1] < 0.7 * errors[0]


def test_a_loss_level_loses_the_asked_share_of_time() -> None:
    step = SOUND_LEVELS["g722_loss_10"].sound
    assert step is not None
    heard = step(noise(30.0), np.random.default_rng(0)).reshape(-1, 320)
    assert (~heard.any(axis=1)).mean() == pytest.approx(0.1, abs=0.03)
