from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import nn
from transformers import Wav2Vec2Config, Wav2Vec2Model

from avdetect.branches.lip_sync import build_lip_sync
from avdetect.branches.sync_encoders import build_encoder
from avdetect.branches.voice_clone import build_voice_clone
from avdetect.branches.voice_front_ends import front_end
from avdetect.calibration import Calibration
from avdetect.checkpoint import load_checkpoint
from avdetect.checkpoint_writer import write_checkpoint
from avdetect.cli.app import run
from avdetect.detector import Detector
from avdetect.errors import CheckpointError, OutputError
from avdetect.foreign_checkpoints import import_checkpoint
from avdetect.nn.aasist import AASIST_L, Aasist
from avdetect.nn.av_hubert_sync import AvHubertSync
from avdetect.nn.sync_head import ConsistencyHead
from avdetect.nn.trained_state import load_trained_state
from avdetect.nn.xlsr_aasist import XlsrAasist
from avdetect.types import Segment
from eval.shared_data import shared_path
from tests.branches.test_voice_clone import observe
from tests.nn.published_av_hubert import CFG, PublishedAvHubert, published
from tests.nn.test_aasist import TINY, as_fairseq
from tests.shared import requires_shared
from tests.talking_mouth import observation

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


@requires_shared
@pytest.mark.parametrize("name", ["AASIST", "AASIST-L"])
def test_an_imported_aasist_gives_the_official_logits(models: Path, name: str) -> None:
    import_checkpoint("aasist", shared_path(f"peers/weights/{name}.pth"), models / "mine")
    golden = np.load(shared_path(f"golden/aasist_{name}.npz"))
    with torch.inference_mode():
        _, logits = imported_judge("mine")(torch.from_numpy(golden["waveforms"]))
    np.testing.assert_allclose(logits, golden["logits_spoof_bona"], atol=1e-4)


def test_an_imported_xlsr_gives_the_logits_of_the_file(models: Path) -> None:
    torch.manual_seed(0)
    # 64 features an attention head, as in every published model: the file does not tell.
    sized = Wav2Vec2Config(**TINY.to_diff_dict() | {"hidden_size": 128, "num_attention_heads": 2})
    original = XlsrAasist(Wav2Vec2Model(sized)).eval()
    theirs = {f"module.{_their_name(k)}": v for k, v in original.state_dict().items()}
    torch.save(theirs, models / "best.pth")
    import_checkpoint("xlsr-aasist", models / "best.pth", models / "xlsr")
    waveform = torch.randn(2, 64_600)
    with torch.inference_mode():
        _, logits = imported_judge("xlsr")(waveform)
        _, expected = original(waveform)
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    branch = build_voice_clone(load_checkpoint("xlsr"), CPU)
    [[output]] = branch.run([observe(0.0, 4.0, Segment(0.0, 4.0))])
    assert output.missing is None


def imported_judge(name: str) -> nn.Module:
    checkpoint = load_checkpoint(name)
    net = front_end(checkpoint.card.config).build(checkpoint.card.config)
    load_trained_state(net, checkpoint.state)
    return net.eval().get_submodule("judge")


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


class _Dictionary:
    """Stands for the label dictionaries that fairseq's task state holds."""

    def __init__(self) -> None:
        self.symbols = ["<s>", "1"]


_Dictionary.__module__, _Dictionary.__qualname__ = "fairseq.data.dictionary", "Dictionary"


def _publish(
    net: PublishedAvHubert, path: Path, monkeypatch: pytest.MonkeyPatch, **changes: object
) -> None:
    """Write a file as fairseq does: a dictionary that only fairseq knows, beside the tensors."""
    names = ("fairseq", "fairseq.data", "fairseq.data.dictionary")
    with monkeypatch.context() as patch:
        for name in names:
            patch.setitem(sys.modules, name, ModuleType(name))
        sys.modules[names[-1]].Dictionary = _Dictionary  # type: ignore[attr-defined]
        torch.save(
            {
                "cfg": {**CFG, "model": {**CFG["model"], **changes}},
                "model": net.state_dict(),
                "task_state": {"dictionaries": [_Dictionary()]},
                "extra_state": {"val_loss": np.float64(2.5)},
            },
            path,
        )


def _imported(models: Path, monkeypatch: pytest.MonkeyPatch) -> PublishedAvHubert:
    """A model "av" made of a published file; returns the network of that file."""
    net, path = published(), models / "base_vox_iter5.pt"
    _publish(net, path, monkeypatch)
    assert run(["models", "import", "av_hubert", str(path), "--name=av"]) == 0
    return net


def _streams(models: Path) -> AvHubertSync:
    checkpoint = load_checkpoint("av")
    streams = build_encoder({**checkpoint.card.config, "embedding": 8})
    assert isinstance(streams, AvHubertSync)
    streams.net.load_state_dict(
        {key.removeprefix("encoder.net."): value for key, value in checkpoint.state.items()}
    )
    return streams.eval()


def test_av_hubert_gives_the_features_of_its_published_file(
    models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = _imported(models, monkeypatch)
    assert "an encoder alone" in capsys.readouterr().out
    ours = _streams(models).net
    mouths, sound = torch.randn(2, 6, 88, 88), torch.randn(2, 6, 104)
    heard = torch.arange(6).expand(2, 6) >= torch.tensor([[0], [2]])
    with torch.inference_mode():
        pairs = [
            (ours(mouths=mouths), theirs(None, mouths[:, None])),
            (ours(sound=sound), theirs(sound, None)),
            (ours(mouths=mouths, sound=sound), theirs(sound, mouths[:, None])),
            (ours(sound=sound, heard=heard)[heard], theirs(sound, None, ~heard)[heard]),
        ]
    for mine, published_features in pairs:
        assert (mine - published_features).abs().max() < 1e-5
    assert (pairs[0][0] - pairs[1][0]).abs().max() > 0.1  # mouths alone are not speech alone


def test_a_fine_tuned_av_hubert_is_its_encoder(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _imported(models, monkeypatch)
    inner = {f"encoder.w2v_model.{key}": value for key, value in published().state_dict().items()}
    inner["decoder.embed_tokens.weight"] = torch.zeros(3, 2)
    torch.save({"model": inner}, models / "self_large_vox_433h.pt")
    import_checkpoint("av_hubert", models / "self_large_vox_433h.pt", models / "tuned")
    one, other = load_checkpoint("av"), load_checkpoint("tuned")
    assert one.card.weights_sha256 == other.card.weights_sha256
    assert one.card.config == other.card.config


@pytest.mark.parametrize("change", ["lacking", "no trunk", "stray"])
def test_another_network_is_no_av_hubert(models: Path, change: str) -> None:
    state = dict(published().state_dict())
    if change == "lacking":
        del state["encoder.layers.1.fc2.bias"]
    elif change == "no trunk":
        state = {key: value for key, value in state.items() if ".trunk." not in key}
    else:
        state["another.weight"] = torch.zeros(2)
    torch.save({"model": state}, models / "odd.pt")
    with pytest.raises(CheckpointError, match=r"odd\.pt: not of the layout"):
        import_checkpoint("av_hubert", models / "odd.pt", models / "odd")
    assert not (models / "odd").exists()


def test_av_hubert_trained_otherwise_is_refused(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _publish(published(), models / "post.pt", monkeypatch, layer_norm_first=False)
    with pytest.raises(CheckpointError, match=r"post\.pt: trained with layer_norm_first = False"):
        import_checkpoint("av_hubert", models / "post.pt", models / "post")


def test_an_encoder_alone_is_refused_with_what_to_do(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _imported(models, monkeypatch)
    # The other branches are built first, and not what is asked here.
    monkeypatch.setattr("avdetect.detector.BRANCHES", {"lip_sync": build_lip_sync})
    bundle = '[checkpoints]\nlip_sync = "av"\ncross_attention = "av"\nlate = "av"\n'
    (models / "default.toml").write_text(bundle, "utf-8")
    with pytest.raises(
        CheckpointError, match=r"av: an imported encoder .*train them with recipes\.lip_sync"
    ):
        Detector.load(device="cpu")


def test_a_mouth_is_judged_through_av_hubert(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _imported(models, monkeypatch)
    torch.manual_seed(1)
    parts: dict[str, nn.Module] = {
        "encoder": _streams(models),
        "head": ConsistencyHead(embedding=8, width=8),
    }
    card = {
        "role": "lip_sync",
        "summary": "s",
        "licence": "l",
        "config": {**load_checkpoint("av").card.config, "embedding": 8, "head_width": 8},
    }
    state = {f"{n}.{key}": v for n, part in parts.items() for key, v in part.state_dict().items()}
    write_checkpoint(models / "trained", state, card)
    branch = build_lip_sync(load_checkpoint("trained"), CPU)
    [[output]] = branch.run([observation()])
    assert output.missing is None
    assert output.tokens.shape == (len(output.segments), branch.token_width)
    assert np.isfinite(output.scores).all()
    [[foreign]] = branch.run([observation(sound_seed=5)])
    assert not np.array_equal(foreign.scores, output.scores)
