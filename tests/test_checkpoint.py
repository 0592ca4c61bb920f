"""Models are whole or not at all."""

import hashlib

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save

from avdetect.checkpoint import list_checkpoints, load_checkpoint, read_bundle, read_card
from avdetect.errors import CheckpointError


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A models folder with one small checkpoint called ``tiny``."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    blob = save({"weight": torch.arange(4, dtype=torch.float16)})
    (folder / "weights.safetensors").write_bytes(blob)
    calibration = {"scale": np.array([2.0]), "offset": np.array([0.5]), "limit": np.array([3.0])}
    save_file(calibration, folder / "calibration.safetensors")
    (folder / "card.toml").write_text(
        'role = "voice_clone"\nsummary = "tiny"\nlicence = "Apache-2.0"\n'
        f'weights_sha256 = "{hashlib.sha256(blob).hexdigest()}"\n[config]\nwidth = 4\n'
    )
    (tmp_path / "default.toml").write_text('[checkpoints]\nvoice_clone = "tiny"\n')
    monkeypatch.setenv("AVDETECT_MODELS", str(tmp_path))
    return tmp_path


def test_weights_come_back_as_float32_with_card_and_calibration(models):
    checkpoint = load_checkpoint("tiny")
    assert torch.equal(checkpoint.state["weight"], torch.arange(4.0))
    assert checkpoint.card.config == {"width": 4}
    assert checkpoint.calibration is not None
    assert checkpoint.calibration.fake_llr(1.0) == 2.5


def test_one_changed_byte_is_refused_with_both_hashes(models):
    path = models / "tiny" / "weights.safetensors"
    blob = bytearray(path.read_bytes())
    blob[-1] ^= 1
    path.write_bytes(blob)
    with pytest.raises(CheckpointError, match="SHA-256"):
        load_checkpoint("tiny")


def test_an_unknown_model_lists_those_there_are(models):
    with pytest.raises(CheckpointError, match="tiny"):
        read_card("huge")
    with pytest.raises(CheckpointError, match="default"):
        read_bundle("huge")


def test_a_card_without_a_needed_line_is_refused(models):
    path = models / "tiny" / "card.toml"
    path.write_text(path.read_text().replace("role", "roll"))
    with pytest.raises(CheckpointError, match="lacks 'role'"):
        read_card("tiny")


def test_a_bundle_may_not_name_roles_that_do_not_exist(models):
    (models / "odd.toml").write_text('[checkpoints]\nsmell = "tiny"\n')
    with pytest.raises(CheckpointError, match="must name some of"):
        read_bundle("odd")


def test_a_bundle_may_name_a_speaker_model_beside_it(models):
    (models / "bank.toml").write_text('speaker_model = "ecapa"\n[checkpoints]\nlate = "tiny"\n')
    assert read_bundle("bank").speaker_model == models / "ecapa"
    assert read_bundle("default").speaker_model is None


def test_every_embedded_model_is_intact():
    names = list_checkpoints()
    assert set(read_bundle().checkpoints.values()) <= set(names)
    for name in names:
        load_checkpoint(name)
