import pytest
import torch

from avdetect.errors import ShapeError
from avdetect.nn.map_contrast import MapContrast


@pytest.fixture
def contrast():
    torch.manual_seed(0)
    made = MapContrast()
    torch.nn.init.normal_(made.weight)
    torch.nn.init.constant_(made.bias, 0.25)
    return made.eval()


def test_a_rise_of_the_whole_map_says_nothing(contrast):
    maps = torch.randn(4, 22, 22)

    assert torch.allclose(contrast(maps + 1.5), contrast(maps), atol=1e-4)
    assert torch.allclose(contrast(torch.full((1, 22, 22), 3.0)), contrast.bias, atol=1e-4)


def test_mirrored_faces_read_alike(contrast):
    maps = torch.randn(4, 22, 22)

    assert torch.allclose(contrast(maps.flip(2)), contrast(maps), atol=1e-5)


def test_one_place_against_the_rest_is_what_it_reads():
    contrast = MapContrast()
    with torch.no_grad():
        contrast.weight[14:18, 7:] = 1.0
    maps = torch.full((2, 22, 22), -2.0)
    maps[1, 14:18, 7:15] = 2.0

    low, high = contrast(maps).tolist()

    assert low == pytest.approx(0.0, abs=1e-4)
    assert high > 10.0


def test_a_cell_beyond_all_doubt_is_bounded(contrast):
    maps = torch.randn(1, 22, 22)
    maps[0, 3, 4] = 6.0
    beyond = maps.clone()
    beyond[0, 3, 4] = 60.0

    assert torch.equal(contrast(beyond), contrast(maps))


def test_other_shapes_are_refused(contrast):
    with pytest.raises(ShapeError, match="mask_logits"):
        contrast(torch.zeros(1, 28, 28))


def test_scores_of_stills_are_brought_to_its_scale(contrast):
    contrast.still_level[:] = torch.tensor([2.0, -0.5])

    assert contrast.of_still(torch.tensor([0.0, 1.5])).tolist() == [-0.5, 2.5]
