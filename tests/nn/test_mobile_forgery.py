"""The mobile frame network is named by its encoder, sees single pixels, and learns."""

import pytest
import torch

from avdetect.nn.face_network import build_face_network, pin_backbone, read_face_config
from avdetect.nn.mobile_forgery import MobileForgeryConfig, MobileForgeryNet
from avdetect.nn.neuron_counts import STAGES, NeuronCounter

TABLE = {"encoder": "efficientnet-lite0", "token_width": 16, "map_width": 8, "n_learned": 2}


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return MobileForgeryNet(MobileForgeryConfig(**TABLE)).eval()


def test_a_card_names_it_by_its_encoder():
    config = read_face_config(TABLE)

    assert pin_backbone(config) == config == MobileForgeryConfig(**TABLE)
    assert isinstance(build_face_network(config), MobileForgeryNet)


@pytest.mark.parametrize("wrong", [{"encoder": "resnet"}, {**TABLE, "widths": [8]}])
def test_unknown_settings_are_refused(wrong):
    with pytest.raises(TypeError, match=r"resnet|widths"):
        read_face_config(wrong)


def test_a_checkerboard_of_one_pixel_moves_the_map_where_it_lies(net):
    faces = torch.full((1, 3, 224, 224), 0.5)
    marked = faces.clone()
    marked[..., 48:64:2, 160:176:2] += 0.03
    marked[..., 49:64:2, 161:176:2] += 0.03

    change = (net(marked).mask_logits - net(faces).mask_logits).abs()[0]

    row, column = divmod(int(change.argmax()), 22)
    assert abs(row - 4) <= 3 and abs(column - 17) <= 3


def test_it_learns_from_one_batch():
    torch.manual_seed(0)
    net = MobileForgeryNet(MobileForgeryConfig(**TABLE)).train()
    faces, labels = torch.rand(4, 3, 224, 224), torch.tensor([0.0, 1.0, 0.0, 1.0])
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3)
    losses = []
    for _ in range(8):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(faces).score, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())

    assert losses[-1] < 0.5 * losses[0]
    assert all(weight.grad is not None for name, weight in net.named_parameters()
               if not name.startswith("mask."))  # fmt: skip


def test_its_neurons_can_be_counted(net):
    faces = torch.randint(0, 256, (2, 224, 224, 3), dtype=torch.uint8)

    counts = NeuronCounter(net, torch.device("cpu")).count(faces)

    assert set(counts.stages) == set(STAGES) and list(counts.stages) == sorted(counts.stages)
    assert counts.active.shape == (2, len(counts.stages))
