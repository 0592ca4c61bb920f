"""Neurons are counted as defined, and the network is left as it was."""

import threading

import numpy as np
import pytest
import torch
from torch import nn

from avdetect.nn.image_encoder import FaceForgeryConfig, FaceForgeryNet
from avdetect.nn.neuron_counts import STAGES, NeuronCounter, mean_activation

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    config = FaceForgeryConfig(widths=(4, 6, 8, 8), depths=(0, 1, 1, 1), token_width=8)
    made = FaceForgeryNet(config).eval()
    for layer in made.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.bias.data.normal_(0.0, 0.5)
            layer.weight.data.uniform_(0.5, 1.5)
    return made


def crops(n, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, 256, (n, 224, 224, 3), np.uint8))


def normalisations(net):
    return [layer for layer in net.modules() if isinstance(layer, nn.BatchNorm2d)]


def test_the_threshold_is_the_mean_of_rectified_outputs():
    layer = nn.BatchNorm2d(3)
    layer.bias.data = torch.tensor([0.5, -1.0, 2.0])
    layer.weight.data = torch.tensor([1.0, -2.0, 0.3])
    drawn = torch.randn(400_000, 3, generator=torch.Generator().manual_seed(0))
    sampled = (layer.bias + layer.weight * drawn).relu().mean().detach()
    assert mean_activation(layer) == pytest.approx(float(sampled), abs=0.01)


def test_counts_are_those_of_a_forward_pass_by_hand(net):
    faces = crops(1)
    counted = NeuronCounter(net, CPU).count(faces)
    outputs = []
    handles = [
        layer.register_forward_hook(lambda m, i, o: outputs.append(o.clone()))
        for layer in normalisations(net)
    ]
    with torch.inference_mode():
        net(faces.permute(0, 3, 1, 2).float() / 255.0)
    for handle in handles:
        handle.remove()
    layers = normalisations(net)
    assert counted.active.shape == counted.busy.shape == (1, len(layers))
    for index, (layer, output) in enumerate(zip(layers, outputs, strict=True)):
        threshold = mean_activation(layer)
        assert counted.active[0, index] == pytest.approx(float((output > threshold).float().mean()))
        busy = (output.relu().mean((2, 3)) > threshold).float().mean()
        assert counted.busy[0, index] == pytest.approx(float(busy))


def test_every_layer_belongs_to_a_stage(net):
    stages = NeuronCounter(net, CPU).count(crops(1)).stages
    assert set(stages) == set(STAGES) and list(stages) == sorted(stages)


def test_no_hook_is_left_on_the_network_and_nothing_is_copied(net):
    before = net(torch.zeros(1, 3, 224, 224)).score
    counter = NeuronCounter(net, CPU)
    counter.count(crops(2))
    assert not any(layer._forward_hooks for layer in net.modules())
    assert torch.equal(net(torch.zeros(1, 3, 224, 224)).score, before)
    own = {tensor.data_ptr() for tensor in net.parameters()}
    assert {tensor.data_ptr() for tensor in counter._net.parameters()} == own


def test_a_face_is_counted_alike_in_any_company(net):
    counter = NeuronCounter(net, CPU)
    faces = crops(5)
    together = counter.count(faces).active
    assert torch.equal(together[3], counter.count(faces[3:4]).active[0])


def test_threads_do_not_count_each_others_faces(net):
    alone = [NeuronCounter(net, CPU).count(crops(3, seed)).active for seed in range(4)]
    found = [None] * 4

    def work(seed):
        found[seed] = NeuronCounter(net, CPU).count(crops(3, seed)).active

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(a, b) for a, b in zip(alone, found, strict=True))
