"""Speaker embeddings from weights in speechbrain's layout: tiny, random, but real files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN

from avdetect.errors import CheckpointError
from avdetect.speech.speaker import SpeakerModel, VoicePrint, cosine
from tests.synth import speech_like

CPU = torch.device("cpu")


def tiny_ecapa(n_mels: int = 80) -> ECAPA_TDNN:
    """The published network's layout in small: three SE-Res2Net blocks, dilations 2, 3, 4."""
    torch.manual_seed(0)
    net = ECAPA_TDNN(
        n_mels,
        channels=[16, 16, 16, 16, 24],
        lin_neurons=12,
        attention_channels=6,
        se_channels=4,
        res2net_scale=4,
    )
    for layer in net.modules():  # trained statistics are not 0 and 1
        if isinstance(layer, torch.nn.BatchNorm1d):
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.5, 2.0)
    return net.eval()


def save_speaker_model(folder: Path) -> Path:
    """Write a folder as speechbrain publishes it; only the weights are to be read."""
    folder.mkdir()
    torch.save(tiny_ecapa().state_dict(), folder / "embedding_model.ckpt")
    (folder / "hyperparams.yaml").write_text("!!python/object/apply:os.abort []\n")
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> SpeakerModel:
    return SpeakerModel.load(save_speaker_model(tmp_path_factory.mktemp("m") / "ecapa"), CPU)


def test_embeddings_are_those_of_the_published_pipeline(model):
    """speechbrain's: filter banks, mean over the utterance, the network; then length 1."""
    from speechbrain.lobes.features import Fbank
    from speechbrain.processing.features import InputNormalization

    waveform = torch.from_numpy(speech_like(1.0))[None]
    with torch.inference_mode():
        features = Fbank(n_mels=80)(waveform)
        normalise = InputNormalization(norm_type="sentence", std_norm=False)
        expected = tiny_ecapa()(normalise(features, torch.ones(1))).flatten().numpy()
    found = model.embed(waveform[0].numpy())
    assert found.shape == (model.width,) == (12,)
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected), atol=1e-5)


def test_loudness_is_no_speaker(model):
    sound = speech_like(1.0)
    assert cosine(model.embed(sound), model.embed(0.2 * sound)) == pytest.approx(1.0, abs=1e-4)
    assert cosine(model.embed(sound), model.embed(sound[::-1].copy())) < 0.9999


def test_a_long_voice_is_embedded_in_blocks_as_long_as_they_last(model):
    voice = VoicePrint(model)
    sound = np.tile(speech_like(2.0), 6)[: 11 * 16_000]
    for piece in np.array_split(sound, 7):
        voice.add(piece)
    first, rest = model.embed(sound[:160_000]), model.embed(sound[160_000:])
    assert voice.speech_s == pytest.approx(11.0)
    assert cosine(voice.finish(), 10 * first + rest) == pytest.approx(1.0, abs=1e-6)


def test_without_a_model_only_seconds_are_counted():
    voice = VoicePrint(None)
    voice.add(np.zeros(8_000, np.float32))
    assert (voice.speech_s, voice.finish()) == (0.5, None)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no checkpoint"),
        (b"not a checkpoint", "no checkpoint"),
        (b"hello\n", "no checkpoint"),
        ([1, 2, 3], "no table of tensors"),
        ({"a": torch.zeros(2)}, "no ECAPA-TDNN"),
        ("without fc", "no ECAPA-TDNN"),
        ("an extra tensor", "no ECAPA-TDNN"),
    ],
)
def test_other_weights_are_refused_with_the_folders_name(tmp_path, content, words):
    path = tmp_path / "embedding_model.ckpt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        state = tiny_ecapa().state_dict()
        if content == "without fc":
            del state["fc.conv.weight"]
        else:
            state["blocks.9.other"] = torch.zeros(1)
        torch.save(state, path)
    else:
        torch.save(content, path)
    with pytest.raises(CheckpointError, match=words) as caught:
        SpeakerModel.load(tmp_path, CPU)
    assert tmp_path.name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_that_run_code_are_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "was_run",))

    torch.save({"fc.conv.weight": Evil()}, tmp_path / "embedding_model.ckpt")
    with pytest.raises(CheckpointError, match="no checkpoint"):
        SpeakerModel.load(tmp_path, CPU)
    assert not (tmp_path / "was_run").exists()
