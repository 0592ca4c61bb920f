"""Gradient attacks on a score that is known."""

import pytest
import torch

from eval.attacks.gradient import Ball, fgsm, pgd


def linear(weights: torch.Tensor):
    return lambda inputs: (inputs * weights).flatten(1).sum(1)


@pytest.fixture
def inputs() -> torch.Tensor:
    return torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def score():
    return linear(torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(2)))


@pytest.mark.parametrize("towards", [1.0, -1.0])
@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
def test_scores_move_as_asked_within_the_ball_and_the_range(inputs, score, attack, towards):
    ball, wanted = Ball(epsilon=4 / 255), torch.full((4,), towards)
    chance = torch.Generator().manual_seed(3)
    attacked = (
        fgsm(score, inputs, wanted, ball)
        if attack == "fgsm"
        else pgd(score, inputs, wanted, ball, 5, chance)
    )
    assert ((score(attacked) - score(inputs)) * towards > 0).all()
    assert (attacked - inputs).abs().max() <= 4 / 255 + 1e-6
    assert attacked.min() >= 0.0
    assert attacked.max() <= 1.0


def test_one_step_on_a_line_is_the_best_there_is(inputs):
    weights = torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(2))
    middle = 0.25 + 0.5 * inputs
    ball = Ball(epsilon=0.01)
    attacked = fgsm(linear(weights), middle, torch.ones(4), ball)
    gained = linear(weights)(attacked) - linear(weights)(middle)
    assert torch.allclose(gained, 0.01 * weights.abs().sum().expand(4), atol=1e-3)


def test_pgd_never_ends_worse_than_it_began(inputs):
    def flat(values: torch.Tensor) -> torch.Tensor:
        return values.flatten(1).sum(1) * 0.0

    ball, chance = Ball(epsilon=0.05), torch.Generator().manual_seed(0)
    assert torch.equal(pgd(flat, inputs, torch.ones(4), ball, 3, chance), inputs)


def test_a_ball_may_differ_from_value_to_value(inputs):
    epsilon = torch.zeros(8)
    epsilon[0] = 0.1
    moved = Ball(epsilon=epsilon).hold(inputs + 1.0, inputs)
    assert torch.equal(moved[..., 1:], inputs[..., 1:])
    assert (moved[..., 0] > inputs[..., 0]).any()
