from __future__ import annotations

import torch

from avdetect.nn.pooling import row_means, row_weights, weighted_mean, weighted_statistics


def test_steps_without_weight_do_not_count() -> None:
    frames = torch.tensor([[[1.0, 3.0, 99.0]]])
    mean, deviation = weighted_statistics(frames, torch.tensor([[1.0, 1.0, 0.0]]))
    assert mean.item() == 2.0
    assert torch.isclose(deviation, torch.tensor([[1.0]]), atol=1e-4).all()


def test_no_weight_at_all_means_every_step_alike() -> None:
    assert weighted_mean(torch.tensor([[1.0, 3.0]]), torch.zeros(1, 2)).item() == 2.0


def test_rows_are_consecutive() -> None:
    frames = torch.arange(6.0).reshape(1, 1, 6)
    weights = torch.tensor([[1.0, 1.0, 0.0, 0.0, 0.0, 1.0]])
    assert row_means(frames, weights, 3).tolist() == [[[0.5], [5.0]]]
    assert torch.allclose(row_weights(weights, 3), torch.tensor([[2 / 3, 1 / 3]]))
