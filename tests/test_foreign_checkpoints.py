from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import Wav2Vec2Model

from avdetect.branches.voice_clone import build_voice_clone
from avdetect.calibration import Calibration
from avdetect.checkpoint import load_checkpoint
from avdetect.checkpoint_writer import write_checkpoint
from avdetect.cli.app import run
from avdetect.errors import CheckpointError, OutputError
from avdetect.foreign_checkpoints import import_checkpoint
from avdetect.nn.aasist import AASIST_L, Aasist
from avdetect.nn.xlsr_aasist import XlsrAasist
from avdetect.types import Segment
from eval.shared_data import shared_path
from tests.branches.test_voice_clone import observe
from tests.nn.test_aasist import TINY, as_fairseq
from tests.shared import requires_shared

CPU = torch.device("cpu")


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "default.toml").write_text("[checkpoints]\n", "utf-8")
    monkeypatch.setenv("AVDETECT_MODELS", str(tmp_path))
    return tmp_path


@requires_shared
def test_official_aasist_becomes_a_model_that_judges(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = shared_path("peers/weights/AASIST-L.pth")
    assert run(["models", "import", "aasist", str(weights), "--name", "aasist-l"]) == 0
    assert "no calibration yet" in capsys.readouterr().out
    assert run(["models", "verify", "aasist-l"]) == 0
    branch = build_voice_clone(load_checkpoint("aasist-l"), CPU)
    [[output]] = branch.run([observe(0.0, 4.0, Segment(0.0, 4.0))])
    assert output.missing is None
    assert output.tokens.shape == (8, 160)
    assert len(set(output.scores.tolist())) == 1  # one judgement of the whole window


def test_xlsr_checkpoint_keeps_its_speech_model(models: Path) -> None:
    torch.manual_seed(0)
    original = XlsrAasist(Wav2Vec2Model(TINY)).eval()
    theirs = {f"module.{_their_name(k)}": v for k, v in original.state_dict().items()}
    torch.save(theirs, models / "best.pth")
    import_checkpoint("xlsr-aasist", models / "best.pth", models / "xlsr")
    branch = build_voice_clone(load_checkpoint("xlsr"), CPU)
    [[output]] = branch.run([observe(0.0, 4.0, Segment(0.0, 4.0))])
    assert output.missing is None


def _their_name(name: str) -> str:
    speech = "speech_model."
    if name.startswith(speech):
        return as_fairseq(name.removeprefix(speech))
    return name  # the rules leave names that are already ours alone


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"hello\n", None])
def test_other_files_are_refused_by_name(models: Path, content: bytes | None) -> None:
    path = models / "odd.pth"
    if content is not None:
        path.write_bytes(content)
    else:
        torch.save({"some.weight": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match=r"odd\.pth"):
        import_checkpoint("aasist", path, models / "odd")
    assert not (models / "odd").exists()


def test_a_model_that_is_there_is_left_alone(models: Path) -> None:
    (models / "mine").mkdir()
    (models / "mine" / "weights.safetensors").write_bytes(b"mine")
    with pytest.raises(OutputError, match="mine: is there already"):
        import_checkpoint("aasist", models / "AASIST.pth", models / "mine")
    assert [path.read_bytes() for path in (models / "mine").iterdir()] == [b"mine"]


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", "..", "."])
def test_a_new_model_stays_in_the_models_folder(
    models: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    inside = models / "inside"
    command = ["models", "import", "aasist", "AASIST.pth", f"--name={name}", f"--out={inside}"]
    assert run(command) == 2
    assert "--name" in capsys.readouterr().err
    assert not inside.exists()


def test_a_pickle_with_code_is_not_run(models: Path) -> None:
    torch.save({"model": Path("anything")}, models / "code.pth")
    with pytest.raises(CheckpointError, match="not a PyTorch checkpoint of tensors"):
        import_checkpoint("aasist", models / "code.pth", models / "code")


@pytest.mark.parametrize("change", ["lacking", "stray"])
def test_tensors_must_fill_the_network_exactly(models: Path, change: str) -> None:
    state = dict(Aasist(AASIST_L).state_dict())  # names that are ours already pass the rules
    if change == "lacking":
        del state["classify.weight"]
    else:
        state["another.weight"] = torch.zeros(2)
    torch.save(state, models / "odd.pth")
    with pytest.raises(CheckpointError, match=r"odd\.pth: not of the layout"):
        import_checkpoint("aasist", models / "odd.pth", models / "odd")
    assert not (models / "odd").exists()


def test_an_old_calibration_does_not_outlive_its_weights(tmp_path: Path) -> None:
    card = {"role": "voice_clone", "summary": "s", "licence": "l", "config": {}}
    kept = Calibration(scale=1.0, offset=0.0, limit=1.0)
    write_checkpoint(tmp_path / "m", {"a": torch.zeros(1)}, card, kept)
    assert (tmp_path / "m" / "calibration.safetensors").is_file()
    write_checkpoint(tmp_path / "m", {"a": torch.ones(1)}, card)
    assert not (tmp_path / "m" / "calibration.safetensors").exists()
