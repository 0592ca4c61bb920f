from dataclasses import replace

import pytest
import torch

from avdetect.nn.face_network import build_face_network
from avdetect.nn.image_encoder import FaceForgeryConfig
from avdetect.nn.trained_state import trained_state
from recipes.visual_forgery.average import average, measure_norms

PLAIN = FaceForgeryConfig(widths=(4, 6, 8, 8), depths=(0, 0, 0, 0), token_width=8)
TELLING = replace(PLAIN, context=True)


def network(config, seed):
    torch.manual_seed(seed)
    return build_face_network(config)


def test_every_weight_is_the_mean_and_a_part_that_one_lacks_counts_as_built():
    first, second = network(PLAIN, 0), network(TELLING, 1)
    torch.nn.init.eye_(second.context8.mix.weight)
    net = network(TELLING, 2)

    average(net, [trained_state(first), trained_state(second)])

    mean = (first.score.weight + second.score.weight) / 2
    assert torch.allclose(net.score.weight, mean)
    assert torch.allclose(net.context8.mix.weight, torch.eye(8) / 2)  # of nothing and of it


def test_a_state_of_another_network_is_refused():
    with pytest.raises(RuntimeError, match="weights do not fit"):
        average(network(PLAIN, 0), [trained_state(network(TELLING, 1))] * 2)


def test_norms_are_those_of_the_faces_shown_and_the_network_is_left_to_judge():
    net = network(PLAIN, 0)
    faces = torch.rand(6, 3, 224, 224)

    measure_norms(net, [faces[:3], faces[3:]])

    assert not net.training
    norm = net.stage2[0][1]
    heard = []
    hook = net.stage2[0][0].register_forward_hook(lambda _, __, out: heard.append(out))
    with torch.no_grad():
        net(faces)
    hook.remove()
    assert torch.allclose(norm.running_mean, heard[0].mean((0, 2, 3)), atol=1e-4)
