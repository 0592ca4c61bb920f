from __future__ import annotations

import numpy as np
import pytest

from recipes.forge.pitch import HOP, mark_pitch, track_pitch
from tests.recipes.forge.drawn_speech import spoken


def buzz(contour_hz: np.ndarray) -> np.ndarray:
    phase = 2 * np.pi * np.cumsum(contour_hz) / 16_000
    return 0.1 * sum(np.cos(k * phase) / k for k in range(1, 20))


@pytest.mark.parametrize("hz", [80.0, 140.0, 230.0, 390.0])
def test_a_steady_pitch_is_found_within_one_percent(hz: float) -> None:
    found = track_pitch(buzz(np.full(8_000, hz)))
    assert len(found) == 8_000 // HOP
    inner = found[8:-8]
    assert (inner > 0).all()
    assert np.allclose(inner, hz, rtol=0.01)


def test_a_glide_is_followed() -> None:
    contour = np.linspace(100, 200, 16_000)
    found = track_pitch(buzz(contour))[8:-8]
    assert np.allclose(found, contour[::HOP][8:-8], rtol=0.02)


def test_noise_and_silence_have_no_pitch() -> None:
    noise = 0.1 * np.random.default_rng(0).normal(size=16_000)
    assert np.mean(track_pitch(noise) > 0) < 0.05
    assert not track_pitch(np.zeros(4_000)).any()


def test_marks_are_one_period_apart_where_the_voice_swings_farthest() -> None:
    speech = buzz(np.full(8_000, 125.0))
    marks = mark_pitch(speech, np.full(100, 125.0))
    assert marks[0] == 0
    assert marks[-1] == 7_999
    assert np.allclose(np.diff(marks)[1:-1], 128, atol=1)
    assert (speech[marks[2:-2]] > 0.9 * speech.max()).all()


def test_marks_rise_in_any_speech() -> None:
    speech = spoken(0.6).astype(np.float64)
    assert (np.diff(mark_pitch(speech, track_pitch(speech))) > 0).all()
