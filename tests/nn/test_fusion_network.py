"""Cross-attention: absent branches, zero start, mouth and voice look at each other."""

import pytest
import torch

from avdetect.errors import ShapeError
from avdetect.nn.fusion_network import N_FEATURES, FusionNetwork, pool_windows

WIDTHS = {"voice_clone": 6, "visual_forgery": 5, "lip_sync": 4}


def make_rows(seed=0, batch=2, present=("voice_clone", "visual_forgery", "lip_sync")):
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for name, width in WIDTHS.items():
        tensor = torch.randn(batch, 3, width + N_FEATURES, generator=generator)
        tensor[..., -1] = float(name in present)
        rows.append(tensor)
    return rows


@pytest.fixture
def network():
    torch.manual_seed(0)
    net = FusionNetwork(WIDTHS, width=16, heads=2).eval()
    torch.nn.init.normal_(net.heads.weight)
    return net


def test_it_starts_by_saying_nothing():
    net = FusionNetwork(WIDTHS, width=16, heads=2).eval()
    assert torch.equal(net(*make_rows())[:, :4], torch.zeros(2, 4))


def test_an_absent_branch_changes_nothing_whatever_its_tokens_hold(network):
    rows = make_rows(present=("voice_clone", "lip_sync"))
    other = [tensor.clone() for tensor in rows]
    other[1][..., :5] += 100.0
    assert torch.allclose(network(*rows), network(*other), atol=1e-6)


def test_the_voice_is_read_in_the_light_of_the_mouth(network):
    rows = make_rows()
    other = [tensor.clone() for tensor in rows]
    other[2][..., :4] *= -1.0
    assert not torch.allclose(network(*rows), network(*other), atol=1e-4)


def test_nothing_present_still_gives_numbers(network):
    assert network(*make_rows(present=())).isfinite().all()


def test_a_wrong_width_is_named(network):
    rows = make_rows()
    rows[0] = rows[0][..., :-1]
    with pytest.raises(ShapeError, match="voice_clone"):
        network(*rows)


def test_pooling_weighs_windows_by_their_last_column():
    outputs = torch.tensor([[1.0, 0, 0, 0, 50.0], [-1.0, 0, 0, 0, -50.0]])
    assert pool_windows(outputs)[0] == pytest.approx(1.0)


def test_training_learns_a_mismatch_that_no_branch_sees_alone():
    torch.manual_seed(1)
    net = FusionNetwork(WIDTHS, width=16, heads=2, dropout=0.0)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    generator = torch.Generator().manual_seed(2)

    def batch():
        rows = make_rows(seed=int(torch.randint(10**6, (1,), generator=generator)), batch=64)
        agree = torch.randint(0, 2, (64,), generator=generator)
        side = torch.randint(0, 2, (64,), generator=generator) * 2.0 - 1.0
        rows[0][..., 0] = side[:, None] * 2
        rows[2][..., 0] = torch.where(agree == 1, side, -side)[:, None] * 2
        return rows, 1.0 - agree.float()

    losses = []
    for _ in range(120):
        rows, label = batch()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(*rows)[:, 0], label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-10:]) / 10 < 0.5 < sum(losses[:5]) / 5
