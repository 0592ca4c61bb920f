"""Front ends of the voice-clone branch: what a checkpoint's ``front_end`` and ``head`` may name.

Our own networks look at one view or at several side by side, and pool what they see by one of three
heads; published networks are taken whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, cast

from torch import Tensor, nn

from avdetect.errors import CheckpointError
from avdetect.nn.aasist import Aasist, AasistSettings
from avdetect.nn.combined_encoder import CombinedEncoder
from avdetect.nn.graph_attention import JOINT_WIDTH
from avdetect.nn.graph_voice_net import GraphVoiceNet
from avdetect.nn.picture_encoder import PictureEncoder
from avdetect.nn.redrawing_judge import JudgeSettings, RedrawingJudge
from avdetect.nn.spectrogram_encoder import SpectrogramEncoder
from avdetect.nn.voice_net import VoiceEncoder, VoiceNet
from avdetect.nn.voice_pooling import AttentivePooling, GraphPooling, MeanPooling, VoicePooling
from avdetect.nn.waveform_encoder import WaveformEncoder
from avdetect.speech.constant_q import N_CONSTANT_Q, constant_q
from avdetect.speech.features import N_LFCC, N_MELS, level_speech, spectral_views
from avdetect.speech.redrawn import N_REDRAWN

Config = Mapping[str, Any]
Inputs = Tensor | tuple[Tensor, ...]  # what one view shows, or what each of several does

_CONSTANT_Q_STRIDES = (2, 1, 2, 1)  # four columns to a step of 50 ms


class VoiceJudge(Protocol):
    """A network of this branch: `VoiceNet` or `GraphVoiceNet`."""

    token_width: int
    linear_judge: RedrawingJudge | None

    def __call__(self, inputs: Inputs, speech: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens (B, L, D), scores (B, L) and scores of frames (B, F); see `VoiceNet.forward`."""
        ...


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """How a waveform becomes what the network reads.

    Attributes:
        build: the untrained network, from the checkpoint's config.
        inputs: (B, S) waveform and (B, T) speech to the network's inputs.
    """

    build: Callable[[Config], nn.Module]
    inputs: Callable[[Tensor, Tensor], Inputs]


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at sound.

    Attributes:
        encoder: the untrained network below the head; a `VoiceEncoder`.
        inputs: (B, S) waveform and (B, T) speech to what it reads.
    """

    encoder: Callable[[Config], nn.Module]
    inputs: Callable[[Tensor, Tensor], Tensor]


def _spectrogram(config: Config) -> nn.Module:
    return SpectrogramEncoder(N_MELS, 3 * N_LFCC, int(config["width"]))


def _constant_q(config: Config) -> nn.Module:
    return PictureEncoder(N_CONSTANT_Q, int(config["width"]), _CONSTANT_Q_STRIDES)


def _sinc(config: Config) -> nn.Module:
    return WaveformEncoder(int(config["width"]))


def _speech_model(config: Config) -> nn.Module:
    # transformers takes seconds to import, and the embedded model does not need it.
    from avdetect.nn.speech_encoder import SpeechEncoder
    from avdetect.nn.speech_model import SpeechModelSettings, tuned_speech_model

    settings = SpeechModelSettings(**config["speech_model"])
    return SpeechEncoder(tuned_speech_model(settings), int(config["width"]))


def _aasist(config: Config) -> nn.Module:
    settings = AasistSettings(**config["aasist"])
    return GraphVoiceNet(Aasist(settings), 5 * JOINT_WIDTH)


def _xlsr_aasist(config: Config) -> nn.Module:
    # transformers takes seconds to import, and the embedded model does not need it.
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    from avdetect.nn.xlsr_aasist import XlsrAasist

    speech_model = Wav2Vec2Model(Wav2Vec2Config(**config["speech_model"]))
    return GraphVoiceNet(XlsrAasist(speech_model), 5 * JOINT_WIDTH)


def _waveform(waveform: Tensor, speech: Tensor) -> Tensor:
    return waveform


VIEWS: dict[str, View] = {
    "spectrogram": View(_spectrogram, spectral_views),  # log-mel and LFCC
    "constant-q": View(_constant_q, constant_q),
    "waveform": View(_sinc, level_speech),
    "speech-model": View(_speech_model, _waveform),  # wav2vec 2.0, HuBERT, WavLM
}
PUBLISHED: dict[str, FrontEnd] = {
    "aasist": FrontEnd(_aasist, _waveform),
    "xlsr-aasist": FrontEnd(_xlsr_aasist, _waveform),
}
HEADS: dict[str, Callable[[int], VoicePooling]] = {
    "mean": MeanPooling,
    "attentive": AttentivePooling,
    "graph": GraphPooling,
}


def front_end(config: Config) -> FrontEnd:
    """The front end a config names; raises `CheckpointError` for an unknown one.

    Args:
        config: ``front_end`` is a name of `VIEWS` or `PUBLISHED`, or a list of names of `VIEWS`.
    """
    name = config.get("front_end")
    if isinstance(name, str) and name in PUBLISHED:
        return PUBLISHED[name]
    names = view_names(config)
    if isinstance(name, str):
        return FrontEnd(build_voice_net, VIEWS[name].inputs)
    return FrontEnd(build_voice_net, lambda x, s: tuple(VIEWS[n].inputs(x, s) for n in names))


def view_names(config: Config) -> list[str]:
    """The views a config names, in the order of the network's inputs."""
    named: Any = config.get("front_end")
    names: list[str] = named if isinstance(named, list) else [named]
    known = names and all(name in VIEWS for name in names)
    if not known or len(set(names)) < len(names):
        raise CheckpointError(
            f"front_end {named!r}: want one of {', '.join(VIEWS)}, or a list of different ones; "
            f"published networks ({', '.join(PUBLISHED)}) stand alone and are imported"
        )
    return names


def build_voice_net(config: Config) -> VoiceNet:
    """The untrained network of a config that our own recipe trains.

    Args:
        config: ``front_end`` (see `front_end`), ``head`` (of `HEADS`; "mean" where absent),
            ``width`` of each view, ``token_width``, ``dropout``; for the view "speech-model" a
            table ``speech_model`` as `avdetect.nn.speech_model.SpeechModelSettings`; for scores
            of every 20 ms a ``frame_width``; for a linear judge beside the network a table
            ``linear_judge`` as `avdetect.nn.redrawing_judge.JudgeSettings`.

    Raises:
        CheckpointError: if a name is unknown, or the speech model cannot be loaded.
    """
    head = config.get("head", "mean")
    if head not in HEADS:
        raise CheckpointError(f"head {head!r}: want one of {', '.join(HEADS)}")
    return VoiceNet(
        _encoder(config),
        HEADS[head],
        int(config["token_width"]),
        float(config["dropout"]),
        redrawing_judge(config["linear_judge"]) if "linear_judge" in config else None,
        int(config.get("frame_width", 0)),
    )


def pin_speech_model(config: Config) -> dict[str, Any]:
    """The config with the hash of the speech model's weights in it, where it names one."""
    if "speech-model" not in view_names(config):
        return dict(config)
    from avdetect.nn.speech_model import SpeechModelSettings, pinned

    return {**config, "speech_model": asdict(pinned(SpeechModelSettings(**config["speech_model"])))}


def _encoder(config: Config) -> VoiceEncoder:
    encoders = {name: VIEWS[name].encoder(config) for name in view_names(config)}
    alone = isinstance(config["front_end"], str)
    encoder = encoders[config["front_end"]] if alone else CombinedEncoder(encoders)
    return cast(VoiceEncoder, encoder)


def redrawing_judge(table: Config) -> RedrawingJudge:
    """The untrained linear judge of a table; raises `CheckpointError` if it reads other numbers."""
    settings = JudgeSettings(**table)
    if settings.n_numbers != N_REDRAWN:
        raise CheckpointError(
            f"the judge reads {settings.n_numbers} numbers, this version measures {N_REDRAWN}"
        )
    return RedrawingJudge(settings)
