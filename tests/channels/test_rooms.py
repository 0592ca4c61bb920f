from __future__ import annotations

import numpy as np
import pytest

from avdetect.channels.rooms import in_room, room_response
from tests.channels.test_degrade import level
from tests.synth import click, speech_like


def decay_s(response: np.ndarray) -> float:
    """T60 from the slope of the energy still to come, between -5 and -25 dB (Schroeder 1965)."""
    left = np.cumsum(response[::-1] ** 2)[::-1]
    db = 10 * np.log10(left / left[0] + 1e-12)
    first, last = np.argmax(db < -5), np.argmax(db < -25)
    return float(3 * (last - first) / 16_000)


@pytest.mark.parametrize("t60_s", [0.2, 0.4, 0.8])
def test_the_sound_decays_as_fast_as_asked(t60_s: float) -> None:
    measured = [decay_s(room_response(t60_s, 1.5, np.random.default_rng(k))) for k in range(5)]
    assert np.mean(measured) == pytest.approx(t60_s, rel=0.25)


def test_early_images_and_late_noise_meet_without_a_step() -> None:
    power = np.mean(
        [room_response(0.6, 1.5, np.random.default_rng(k)) ** 2 for k in range(40)], axis=0
    )
    before, after = power[960:1280].mean(), power[1280:1600].mean()
    assert 10 * np.log10(before / after) == pytest.approx(60 * 0.02 / 0.6, abs=1.5)


def test_the_direct_sound_keeps_its_place_and_comes_first() -> None:
    heard = in_room(click(0.5, 0.2, length_s=1 / 16_000), 0.3, 0.5, np.random.default_rng(0))
    assert np.argmax(np.abs(heard)) == 3_200
    assert np.abs(heard[:3_200]).max() < 1e-6


def test_farther_away_there_is_more_room_in_the_sound() -> None:
    def direct_share(distance_m: float) -> float:
        found = [room_response(0.4, distance_m, np.random.default_rng(k)) for k in range(5)]
        return float(np.mean([r[0] ** 2 / np.sum(r**2) for r in found]))

    assert direct_share(0.3) > 3 * direct_share(2.0)


def test_level_length_and_chance_are_kept() -> None:
    speech = speech_like(1.0)
    once, again = (in_room(speech, 0.4, 1.0, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(once, again)
    assert once.shape == speech.shape
    assert level(once) == pytest.approx(level(speech), rel=1e-3)


def test_a_hall_is_refused() -> None:
    with pytest.raises(ValueError, match="small rooms"):
        room_response(0.4, 12.0, np.random.default_rng(0))
