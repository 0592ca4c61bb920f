"""Front ends of the voice-clone branch: what a checkpoint's ``front_end`` may name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from torch import Tensor, nn

from avdetect.errors import CheckpointError
from avdetect.nn.aasist import Aasist, AasistSettings
from avdetect.nn.forest import Forest
from avdetect.nn.graph_attention import JOINT_WIDTH
from avdetect.nn.graph_voice_net import GraphVoiceNet
from avdetect.nn.spectrogram_encoder import SpectrogramEncoder
from avdetect.nn.voice_net import StatisticsHead, VoiceEncoder, VoiceNet
from avdetect.speech.features import N_LFCC, N_MELS, spectral_views
from avdetect.speech.statistics import N_STATISTICS


class VoiceJudge(Protocol):
    """A network of this branch: `VoiceNet` or `GraphVoiceNet`."""

    token_width: int

    def __call__(
        self, inputs: Tensor, speech: Tensor, statistics: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Tokens (B, L, D) and scores (B, L), higher = more fake; see `VoiceNet.forward`."""
        ...


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """How a waveform becomes what the network reads.

    Attributes:
        build: the untrained network, from the checkpoint's config.
        inputs: (B, S) waveform and (B, T) speech to the network's inputs.
    """

    build: Callable[[Mapping[str, Any]], nn.Module]
    inputs: Callable[[Tensor, Tensor], Tensor]


def _voice_net(config: Mapping[str, Any], encoder: VoiceEncoder) -> VoiceNet:
    return VoiceNet(
        encoder,
        int(config["token_width"]),
        float(config["dropout"]),
        _statistics_head(config["statistics"]) if "statistics" in config else None,
    )


def _spectrogram(config: Mapping[str, Any]) -> nn.Module:
    return _voice_net(config, SpectrogramEncoder(N_MELS, 3 * N_LFCC, int(config["width"])))


def _aasist(config: Mapping[str, Any]) -> nn.Module:
    settings = AasistSettings(**config["aasist"])
    return GraphVoiceNet(Aasist(settings), 5 * JOINT_WIDTH)


def _xlsr_aasist(config: Mapping[str, Any]) -> nn.Module:
    # transformers takes seconds to import, and the embedded model does not need it.
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    from avdetect.nn.xlsr_aasist import XlsrAasist

    speech_model = Wav2Vec2Model(Wav2Vec2Config(**config["speech_model"]))
    return GraphVoiceNet(XlsrAasist(speech_model), 5 * JOINT_WIDTH)


def _wav2vec(config: Mapping[str, Any]) -> nn.Module:
    # transformers takes seconds to import, and the embedded model does not need it.
    from transformers import Wav2Vec2Model

    from avdetect.nn.wav2vec_encoder import Wav2VecEncoder

    path = str(config["wav2vec_path"])
    try:
        speech_model = Wav2Vec2Model.from_pretrained(path)
    except OSError as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(
            f"cannot load the wav2vec 2.0 model {path!r}: {reason}; "
            "set wav2vec_path to a local folder or a hub id"
        ) from error
    return _voice_net(config, Wav2VecEncoder(speech_model, int(config["width"])))


def _waveform(waveform: Tensor, speech: Tensor) -> Tensor:
    return waveform


FRONT_ENDS: dict[str, FrontEnd] = {
    "spectrogram": FrontEnd(_spectrogram, spectral_views),
    "wav2vec2": FrontEnd(_wav2vec, _waveform),
    "aasist": FrontEnd(_aasist, _waveform),
    "xlsr-aasist": FrontEnd(_xlsr_aasist, _waveform),
}


def front_end(config: Mapping[str, Any]) -> FrontEnd:
    """The front end a config names; raises `CheckpointError` for an unknown one."""
    name = config.get("front_end")
    if name not in FRONT_ENDS:
        raise CheckpointError(f"front_end {name!r}: want one of {', '.join(FRONT_ENDS)}")
    return FRONT_ENDS[name]


def build_voice_net(config: Mapping[str, Any]) -> VoiceNet:
    """The untrained network of a config that our own recipe trains.

    Args:
        config: ``front_end``, ``width``, ``token_width``, ``dropout``; for judges on statistics
            beside the network also a table ``statistics`` with ``n_trees``, ``n_nodes``, ``depth``
            and ``network_share`` (spectrogram front end only).
    """
    return cast(VoiceNet, front_end(config).build(config))


def _statistics_head(table: Mapping[str, Any]) -> StatisticsHead:
    forest = Forest(int(table["n_trees"]), int(table["n_nodes"]), int(table["depth"]))
    return StatisticsHead(forest, N_STATISTICS, float(table["network_share"]))
