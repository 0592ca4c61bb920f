"""The adversarial switch changes the faces that are learned from, and nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from avdetect.nn.image_encoder import FaceForgeryConfig, FaceForgeryNet
from recipes.visual_forgery.adversarial import attacked_pairs
from recipes.visual_forgery.settings import AdversarialSettings, read_settings
from recipes.visual_forgery.train import Training

CONFIG = Path(__file__).parents[3] / "recipes" / "visual_forgery" / "config.toml"
SWITCH = AdversarialSettings(share=1.0, epsilon=2 / 255, steps=1)


@pytest.fixture(scope="module")
def net() -> FaceForgeryNet:
    torch.manual_seed(0)
    return FaceForgeryNet(FaceForgeryConfig(widths=(4, 6, 8, 8), depths=(0, 0, 0, 0))).train()


@pytest.fixture(scope="module")
def faces() -> torch.Tensor:
    return torch.rand(4, 3, 224, 224, generator=torch.Generator().manual_seed(1))


LABELS = torch.tensor([0.0, 1.0, 0.0, 1.0])


def attack(net, faces, settings, seed=0):
    chance = torch.Generator().manual_seed(seed)
    return attacked_pairs(net, faces, LABELS, settings, chance)


@pytest.mark.parametrize("steps", [1, 3])
def test_real_faces_move_towards_fake_and_fakes_towards_real_within_epsilon(net, faces, steps):
    attacked = attack(net, faces, replace(SWITCH, steps=steps))
    assert (attacked - faces).abs().max() <= 2 / 255 + 1e-6
    assert attacked.min() >= 0.0
    assert attacked.max() <= 1.0
    net.eval()
    moved = net(attacked).score - net(faces).score
    net.train()
    assert (moved[LABELS == 0] > 0).all()
    assert (moved[LABELS == 1] < 0).all()


def test_the_attack_leaves_no_mark_on_the_network(net, faces):
    before = {key: value.clone() for key, value in net.state_dict().items()}
    attack(net, faces, SWITCH)
    assert net.training
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())
    assert all(weight.grad is None for weight in net.parameters())


def test_a_share_of_the_pairs_is_left_alone(net, faces):
    for seed in range(20):
        attacked = attack(net, faces, replace(SWITCH, share=0.5), seed)
        changed = (attacked != faces).flatten(1).any(1).view(2, 2)
        assert torch.equal(changed[:, 0], changed[:, 1])  # twins together
        if changed.any() and not changed.all():
            return
    raise AssertionError("in twenty draws all or none of the pairs were attacked")


def test_it_is_off_by_default_and_switched_on_by_its_table(tmp_path):
    assert read_settings(CONFIG).adversarial is None
    text = CONFIG.read_text("utf-8")
    table = "[adversarial]\nshare = 0.5\nepsilon = 0.0079\nsteps = 1\n"
    switched = tmp_path / "config.toml"
    switched.write_text(text + "\n" + table, "utf-8")
    assert read_settings(switched).adversarial == AdversarialSettings(
        share=0.5, epsilon=0.0079, steps=1
    )
    switched.write_text(text + "\n" + table + "strength = 2\n", "utf-8")
    with pytest.raises(TypeError):
        read_settings(switched)


def test_training_with_the_switch_learns_other_weights_from_the_same_batch(faces):
    settings = read_settings(CONFIG)
    small = FaceForgeryConfig(widths=(4, 6, 8, 8), depths=(0, 0, 0, 0))
    batch = (
        (faces.view(2, 2, 3, 224, 224) * 255).byte(),
        LABELS.view(2, 2),
        torch.zeros(2, 2, 22, 22),
    )
    weights = []
    for adversarial in (None, None, SWITCH):
        plain = replace(settings.training, pretrained=False)
        wanted = replace(settings, network=small, adversarial=adversarial, training=plain)
        training = Training(wanted, half=False)
        training.advance(batch)
        weights.append(training.net.score.weight.detach().clone())
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
