"""Sounds that are nobody's speech, at the level of one voice."""

import numpy as np
import pytest

from recipes.lip_sync.wild import chords, crowd, levelled
from tests.synth import speech_like, tone


def rms(sound):
    return float(np.sqrt(np.mean(np.square(sound))))


def test_crowds_and_chords_are_as_loud_as_one_voice_and_as_long_as_asked():
    rng = np.random.default_rng(0)
    voices = [speech_like(2.0, seed=seed) for seed in range(5)]
    for sound in (crowd(voices, 3, 40_000, rng), chords(40_000, rng)):
        assert len(sound) == 40_000
        assert sound.dtype == np.float32
        assert rms(sound) == pytest.approx(0.05, rel=1e-3)


def test_silence_stays_silent():
    assert rms(levelled(np.zeros(100, np.float32))) == 0.0
    assert rms(levelled(tone(1.0))) == pytest.approx(0.05, rel=1e-3)
