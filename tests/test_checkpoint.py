"""Models are whole or not at all."""

import hashlib
import math

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save

from avdetect.calibration import Calibration
from avdetect.checkpoint import list_checkpoints, load_checkpoint, read_bundle, read_card
from avdetect.checkpoint_writer import write_calibration
from avdetect.cli.models import verify_models
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


@pytest.mark.parametrize("n_bytes", [0, 5, 100])
def test_a_cut_off_calibration_is_refused(models, n_bytes):
    path = models / "tiny" / "calibration.safetensors"
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(CheckpointError, match=r"calibration.safetensors: not a calibration: "):
        load_checkpoint("tiny")


def test_verify_tells_of_a_cut_off_calibration(models, capsys):
    path = models / "tiny" / "calibration.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    assert verify_models("tiny") == CheckpointError.exit_code
    assert capsys.readouterr().out.startswith("FAILED  tiny  ")


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


def test_a_bundles_costs_give_its_rule_and_others_are_refused(models):
    text = (models / "default.toml").read_text()
    (models / "dear.toml").write_text(f"{text}[decision]\nfalse_alarm_cost = 21\nmiss_cost = 2\n")
    rule = read_bundle("dear").rule()
    assert (rule.fake_log_odds, rule.real_log_odds) == (pytest.approx(math.log(20)), 0.0)
    for odd in ("fake_log_odds = 1.8", "false_alarm_cost = 1\nmiss_cost = 1"):
        (models / "odd.toml").write_text(f"{text}[decision]\n{odd}\n")
        with pytest.raises(CheckpointError, match="false_alarm_cost and miss_cost"):
            read_bundle("odd").rule()


def test_a_calibration_of_before_knows_all_fakes_and_a_new_one_says_how_many(models):
    folder = models / "tiny"
    assert load_checkpoint("tiny").calibration.unknown == 0.0
    write_calibration(folder, Calibration(scale=2.0, offset=0.5, limit=3.0, unknown=0.1))
    assert load_checkpoint("tiny").calibration.unknown == 0.1
