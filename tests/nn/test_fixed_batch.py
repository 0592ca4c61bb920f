from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from avdetect.errors import ShapeError
from avdetect.nn.fixed_batch import run_fixed


@pytest.fixture
def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv1d(3, 8, 5), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 28, 2)).eval()


def test_an_item_has_the_same_bits_in_any_company(net: nn.Module) -> None:
    items = torch.randn(7, 3, 32)
    together = run_fixed(net, items, 4)
    for index in range(7):
        assert torch.equal(run_fixed(net, items[index : index + 1], 4)[0], together[index])


def test_the_network_sees_only_full_batches() -> None:
    sizes: list[int] = []

    def spy(first: Tensor, second: Tensor) -> tuple[Tensor, ...]:
        sizes.append(first.shape[0])
        return first + second, first.sum(1)

    both, sums = run_fixed(spy, (torch.ones(5, 2), torch.ones(5, 2)), 4)
    assert sizes == [4, 4]
    assert both.shape == (5, 2)
    assert sums.tolist() == [2.0] * 5


def test_no_items_give_no_rows(net: nn.Module) -> None:
    assert run_fixed(net, torch.zeros(0, 3, 32), 4).shape == (0, 2)


def test_inputs_of_different_length_are_refused(net: nn.Module) -> None:
    with pytest.raises(ShapeError):
        run_fixed(net, (torch.ones(5, 2), torch.ones(4, 2)), 4)
