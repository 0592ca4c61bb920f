"""Shapes, ranges and what depends on what."""

import pytest
import torch

from avdetect.errors import ShapeError
from avdetect.nn.face_swapper import FaceSwapper, SwapperConfig
from avdetect.nn.identity_encoder import IdentityConfig, IdentityEncoder
from avdetect.nn.speaker_encoder import SpeakerConfig, SpeakerEncoder


@pytest.fixture(scope="module")
def swapper() -> FaceSwapper:
    torch.manual_seed(0)
    return FaceSwapper(SwapperConfig(widths=(4, 6, 8, 8), code=4, identity=8)).eval()


def test_a_swap_has_the_size_and_range_of_its_target(swapper):
    drawn = swapper(torch.rand(2, 3, 64, 64), torch.randn(2, 8))
    assert drawn.shape == (2, 3, 64, 64)
    assert 0.0 <= drawn.min() <= drawn.max() <= 1.0


def test_a_swap_depends_on_the_target_and_on_the_identity(swapper):
    target, who = torch.rand(1, 3, 64, 64), torch.randn(1, 8)
    drawn = swapper(target, who)
    assert not torch.allclose(drawn, swapper(1.0 - target, who))
    assert not torch.allclose(drawn, swapper(target, -who))


def test_identities_are_of_length_one_and_blind_to_brightness():
    torch.manual_seed(0)
    net = IdentityEncoder(IdentityConfig(side_px=32, widths=(4, 6, 8, 8), width=8)).eval()
    faces = 0.8 * torch.rand(3, 3, 32, 32)
    vectors = net(faces)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(3), atol=1e-5)
    assert torch.allclose(vectors, net(faces + 0.1), atol=1e-4)


@pytest.mark.parametrize("kind", ["time", "picture"])
def test_speakers_are_of_length_one_whatever_the_length_of_speech(kind):
    torch.manual_seed(0)
    config = SpeakerConfig(n_features=16, kind=kind, width=16, embedding=8)
    net = SpeakerEncoder(config).eval()
    for n_frames in (40, 97):
        vectors = net(torch.randn(2, 16, n_frames))
        assert torch.allclose(vectors.norm(dim=1), torch.ones(2), atol=1e-5)


def test_a_wrong_size_is_refused(swapper):
    with pytest.raises(ShapeError, match="targets"):
        swapper(torch.rand(1, 3, 32, 32), torch.randn(1, 8))
