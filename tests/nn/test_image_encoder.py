import pytest
import torch

from avdetect.nn.image_encoder import (
    MASK_SIDE,
    FaceForgeryConfig,
    FaceForgeryNet,
    mask_of,
    view_of_mask,
)


def test_mask_lies_where_the_crop_does():
    logits = torch.full((1, 22, 22), -20.0)
    logits[0, 0, 21] = 20.0

    mask = mask_of(logits)

    assert mask.shape == (1, MASK_SIDE, MASK_SIDE)
    assert mask[0, 3, 24] == pytest.approx(1.0)
    assert mask.sum() == pytest.approx(1.0, abs=1e-3)


def test_truth_and_map_share_their_cells():
    mask = torch.zeros(1, 224, 224)
    mask[0, 24:32, 192:200] = 1.0

    cells = view_of_mask(mask)

    assert cells.shape == (1, 22, 22)
    assert cells[0, 0, 21] == 1.0
    assert cells.sum() == 1.0


def test_config_reads_lists_and_refuses_unknown_keys():
    assert FaceForgeryConfig.from_table({"widths": [8, 8, 8, 8]}).widths == (8, 8, 8, 8)
    with pytest.raises(TypeError):
        FaceForgeryConfig.from_table({"width": 8})


def test_context_says_nothing_before_it_is_trained_and_then_tells_every_place_of_all_others():
    torch.manual_seed(0)
    plain = FaceForgeryNet(FaceForgeryConfig(widths=(4, 6, 8, 8), depths=(0, 0, 0, 0))).eval()
    telling = FaceForgeryNet(
        FaceForgeryConfig(widths=(4, 6, 8, 8), depths=(0, 0, 0, 0), context=True)
    ).eval()
    telling.load_state_dict(plain.state_dict(), strict=False)
    faces = torch.rand(1, 3, 224, 224)
    elsewhere = faces.clone()
    elsewhere[..., 150:, :] = 0.0  # far from the first rows of the map

    def top(net):
        return [net(picture).mask_logits[0, :2] for picture in (faces, elsewhere)]

    before, after = top(plain)
    assert torch.allclose(before, top(telling)[0], atol=1e-5)
    assert torch.allclose(before, after, atol=1e-5)
    torch.nn.init.eye_(telling.context4.mix.weight)
    before, after = top(telling)
    assert (before - after).abs().max() > 1e-4
