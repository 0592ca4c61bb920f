"""What every frame network of ours keeps to, whatever its encoder."""

import pytest
import torch

from avdetect.errors import ShapeError
from avdetect.nn.face_network import build_face_network
from avdetect.nn.image_encoder import FaceForgeryConfig
from avdetect.nn.mobile_forgery import MobileForgeryConfig

CONFIGS = {
    "small": FaceForgeryConfig(widths=(8, 8, 8, 8), depths=(0, 0, 0, 0), token_width=16),
    "mobile": MobileForgeryConfig(token_width=16, map_width=8, n_learned=2),
}


@pytest.fixture(params=CONFIGS)
def net(request):
    torch.manual_seed(0)
    return build_face_network(CONFIGS[request.param]).eval()


def test_shapes(net):
    said = net(torch.rand(2, 3, 224, 224))

    assert said.token.shape == (2, 16)
    assert said.score.shape == (2,)
    assert said.mask_logits.shape == (2, 22, 22)


def test_other_sizes_are_refused(net):
    with pytest.raises(ShapeError, match="faces: want"):
        net(torch.rand(2, 3, 256, 256))


def test_rim_of_the_crop_is_not_looked_at(net):
    faces = torch.rand(1, 3, 224, 224)
    changed = faces.clone()
    changed[..., :24, :] = 0.0
    changed[..., :, -24:] = 1.0

    assert torch.equal(net(faces).score, net(changed).score)
