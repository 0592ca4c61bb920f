"""Random search by queries alone, on scores that are known and counted."""

import numpy as np
import pytest

from eval.attacks.black_box import random_search, squares, stretches


class Counted:
    """The mean of an input, and how often it was asked."""

    def __init__(self) -> None:
        self.n_asked = 0

    def __call__(self, values: np.ndarray) -> float:
        self.n_asked += 1
        return float(values.mean())


@pytest.mark.parametrize("towards", [1, -1])
@pytest.mark.parametrize("budget", [1, 2, 40])
def test_the_budget_holds_and_the_score_moves_as_asked(towards, budget):
    picture = np.random.default_rng(0).random((32, 32, 3), np.float32)
    query = Counted()
    rng = np.random.default_rng(1)
    found = random_search(query, picture, towards, squares(picture, 0.02), budget, rng)
    assert query.n_asked == found.n_queries == budget
    assert found.score == pytest.approx(found.attacked.mean(), abs=1e-6)
    gained = towards * (found.score - picture.mean())
    assert gained > 1e-4 if budget > 2 else gained > -1e-6


def test_squares_keep_to_the_ball_and_to_what_pixels_show():
    picture = np.random.default_rng(0).random((20, 30, 3), np.float32)
    rng = np.random.default_rng(1)
    found = random_search(Counted(), picture, 1, squares(picture, 0.03), 60, rng)
    assert np.abs(found.attacked - picture).max() <= 0.03 + 1e-6
    assert found.attacked.min() >= 0.0
    assert found.attacked.max() <= 1.0


def test_stretches_keep_to_the_ball_and_to_full_scale():
    sound = np.random.default_rng(0).uniform(-1, 1, 4000).astype(np.float32)
    query = Counted()
    rng = np.random.default_rng(1)
    found = random_search(query, sound, -1, stretches(sound, 0.01, 16_000), 50, rng)
    assert query.n_asked == 50
    assert found.score < float(sound.mean())
    assert np.abs(found.attacked - sound).max() <= 0.01 + 1e-6
    assert np.abs(found.attacked).max() <= 1.0
