from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from avdetect.errors import CheckpointError
from recipes.forge.neural.networks import build_vocoder
from recipes.forge.neural.twins import draw_vocoders
from recipes.forge.neural.vocoders import (
    copy_synthesise,
    list_vocoders,
    load_vocoder,
    save_vocoder,
)
from tests.synth import speech_like

TOKENS = {
    "kind": "istft", "n_fft": 512, "hop": 128, "n_mels": 40, "width": 32, "n_blocks": 2,
    "n_quantisers": 4, "n_codes": 16, "frames_per_token": 2,
}  # fmt: skip
SPEECH = speech_like(0.8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, network in (("plain", TOKENS | {"n_quantisers": 0}), ("tokens", TOKENS)):
        torch.manual_seed(1)
        vocoder = build_vocoder(network)
        vocoder(0.1 * torch.randn(4, 8_192), 4)
        (tmp_path / name).mkdir()
        save_vocoder(vocoder, network, tmp_path / name / "step_20.safetensors")
    return tmp_path


def test_every_bit_rate_is_a_vocoder_of_its_own(folder: Path) -> None:
    assert list_vocoders(folder) == ["plain@20", "tokens@20~2", "tokens@20~4"]
    assert list_vocoders(folder, least_step=21) == []
    few, many = (copy_synthesise(SPEECH, f"tokens@20~{n}", folder) for n in (2, 4))
    assert not np.array_equal(few, many)


def test_a_copy_keeps_length_level_and_itself(folder: Path) -> None:
    for speech in (SPEECH, 0.01 * SPEECH, SPEECH[:500]):
        copied = [copy_synthesise(speech, "tokens@20~2", folder) for _ in range(2)]
        assert np.array_equal(*copied)
        assert copied[0].shape == speech.shape
        assert copied[0].dtype == np.float32
        level = [float(np.sqrt(np.mean(x.astype(np.float64) ** 2))) for x in (copied[0], speech)]
        assert level[0] == pytest.approx(level[1], rel=0.01) or np.abs(copied[0]).max() > 0.99


def test_silence_stays_silence(folder: Path) -> None:
    assert not copy_synthesise(np.zeros(4_000, np.float32), "plain@20", folder).any()


def test_kept_weights_are_those_that_were_trained(folder: Path) -> None:
    torch.manual_seed(1)
    trained = build_vocoder(TOKENS)
    trained(0.1 * torch.randn(4, 8_192), 4)
    kept = load_vocoder(folder / "tokens" / "step_20.safetensors")
    speech = torch.from_numpy(0.1 * SPEECH)[None]
    with torch.inference_mode():
        difference = kept(speech, 1).waveform - trained.eval()(speech, 1).waveform
    assert float(difference.abs().mean()) < 0.02 * float(speech.abs().mean())  # of 16 bits


def test_an_absent_or_damaged_vocoder_is_named(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="step_7"):
        copy_synthesise(SPEECH, "plain@7", folder)
    (folder / "plain" / "step_20.safetensors").write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="plain"):
        load_vocoder(folder / "plain" / "step_20.safetensors")


def test_a_clip_is_copied_by_different_trainings() -> None:
    names = ["a@1", "a@2", "b@1", "c@1~2", "c@1~4"]
    for clip in ("one", "two", "three"):
        drawn = draw_vocoders(clip, names, 2)
        assert drawn == draw_vocoders(clip, names, 2)
        assert len({name[0] for name in drawn}) == 2
