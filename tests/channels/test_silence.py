from __future__ import annotations

import numpy as np
import pytest

from avdetect.channels.silence import (
    leading_silence_s,
    mute_start,
    room_tone_start,
)
from tests.synth import noise, tone


def after_pause(pause_s: float) -> np.ndarray:
    """A tone behind a pause with faint noise, as a recording has it."""
    return np.concatenate([noise(pause_s, amplitude=3e-4), tone(0.5)]).astype(np.float32)


@pytest.mark.parametrize("pause_s", [0.0, 0.1, 0.75])
def test_the_pause_is_found(pause_s: float) -> None:
    assert leading_silence_s(after_pause(pause_s)) == pytest.approx(pause_s, abs=0.01)


def test_no_sound_is_no_leading_pause() -> None:
    assert leading_silence_s(np.zeros(16_000, np.float32)) == 0.0
    assert leading_silence_s(np.zeros(7, np.float32)) == 0.0


def test_only_the_pause_is_replaced_and_the_clock_is_kept() -> None:
    sound = after_pause(0.3)
    muted = mute_start(sound)
    toned = room_tone_start(sound, -60.0, np.random.default_rng(0))
    assert not muted[:4_800].any()
    assert np.std(toned[:4_800]) == pytest.approx(1e-3, rel=0.05)
    for heard in (muted, toned):
        assert np.array_equal(heard[4_800:], sound[4_800:])


def test_a_fixed_start_is_replaced_whatever_stands_there() -> None:
    sound = tone(1.0)
    assert not mute_start(sound, 0.3)[:4_800].any()
    assert np.array_equal(mute_start(sound, 0.3)[4_800:], sound[4_800:])
