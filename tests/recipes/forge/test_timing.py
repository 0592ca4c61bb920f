import numpy as np
import pytest

from recipes.forge.timing import (
    delay,
    displaced_mouth,
    dubbed_mouth,
    foreign_speech,
    frozen_mouth,
    random_stretch,
    retimed_speech,
    reversed_mouth,
    slowed_mouth,
)

FRAMES = 30
TRUE = np.arange(FRAMES, dtype=np.float32)[:, None]


def _shown(forged):
    return forged.apply(TRUE)[:, 0]


def test_frozen_mouth_stands_still_and_says_where():
    forged = frozen_mouth(FRAMES, 10, 20)
    shown = _shown(forged)
    assert (shown[10:20] == 10).all()
    assert (shown[:10] == TRUE[:10, 0]).all()
    assert forged.labels.tolist() == [False] * 11 + [True] * 9 + [False] * 10


def test_slowed_mouth_moves_at_its_pace():
    shown = _shown(slowed_mouth(FRAMES, 0, 20, 0.5))
    assert shown[:6].tolist() == [0, 0, 1, 1, 2, 2]
    assert (shown[20:] == TRUE[20:, 0]).all()


def test_reversed_mouth_runs_backwards():
    forged = reversed_mouth(FRAMES, 5, 10)
    assert _shown(forged)[5:10].tolist() == [9, 8, 7, 6, 5]
    assert not forged.labels[7]  # its middle frame is the true one
    assert forged.labels[5]


def test_displaced_mouth_stays_within_the_clip():
    shown = _shown(displaced_mouth(FRAMES, 20, 30, 12))
    assert shown[20:].tolist() == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]


def test_dubbed_mouth_shows_the_frame_that_fits():
    agreement = np.eye(FRAMES, dtype=np.float32)[::-1].copy()
    forged = dubbed_mouth(agreement, temperature=0.01, inertia=0.0)
    assert np.allclose(_shown(forged), TRUE[::-1, 0], atol=1e-3)
    assert np.allclose(forged.blend.sum(1), 1.0, atol=1e-5)
    assert forged.labels.all()


def test_foreign_speech_replaces_its_stretch_alone_at_the_same_level():
    rng = np.random.default_rng(0)
    sound = rng.normal(0, 0.1, FRAMES * 640).astype(np.float32)
    other = rng.normal(0, 0.4, FRAMES * 320).astype(np.float32)
    forged = foreign_speech(sound, other, 10, 20)
    inside = slice(11 * 640, 19 * 640)
    assert len(forged.sound) == len(sound)
    assert np.array_equal(forged.sound[: 9 * 640], sound[: 9 * 640])
    assert np.array_equal(forged.sound[21 * 640 :], sound[21 * 640 :])
    assert abs(np.corrcoef(forged.sound[inside], sound[inside])[0, 1]) < 0.1
    assert forged.sound[inside].std() == pytest.approx(sound.std(), rel=0.1)
    assert forged.labels.tolist() == [False] * 10 + [True] * 10 + [False] * 10


def test_retimed_speech_keeps_length_and_labels_what_moved():
    sound = np.linspace(-1, 1, 60 * 640, dtype=np.float32)
    forged = retimed_speech(sound, np.random.default_rng(3))
    assert len(forged.sound) == len(sound)
    assert forged.labels.shape == (60,)
    assert 0 < forged.labels.sum() < 60
    middle = forged.sound.reshape(60, 640)[:, 320]
    lag = np.round((np.linspace(-1, 1, 60 * 640).reshape(60, 640)[:, 320] - middle) * 60 / 2)
    lag = np.where(lag > 30, lag - 60, np.where(lag < -30, lag + 60, lag))
    assert (np.abs(lag - np.median(lag))[~forged.labels] < 3).all()


def test_a_real_twin_has_the_seams_but_no_lag():
    sound = np.ones(60 * 640, np.float32)
    twin = retimed_speech(sound, np.random.default_rng(3), steps=(0, 0))
    assert not twin.labels.any()
    assert (twin.sound == 0).any()
    assert (twin.sound == 1).mean() > 0.8


@pytest.mark.parametrize("delay_s", [0.2, -0.2])
def test_delay_moves_the_sound_and_keeps_its_length(delay_s):
    sound = np.zeros(16_000, np.float32)
    sound[8_000] = 1.0
    moved = delay(sound, delay_s)
    assert len(moved) == len(sound)
    assert int(moved.argmax()) == 8_000 + round(delay_s * 16_000)


def test_stretches_lie_within_the_clip():
    rng = np.random.default_rng(0)
    stretches = [random_stretch(FRAMES, rng) for _ in range(200)]
    assert all(0 <= a and b <= FRAMES and b - a >= 10 for a, b in stretches)
    assert 60 < sum((a, b) == (0, FRAMES) for a, b in stretches) < 140
