"""Published checkpoints of other people, brought into the form of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from avdetect.checkpoint_writer import write_checkpoint
from avdetect.errors import CheckpointError, OutputError
from avdetect.foreign_tensors import ForeignFile, foreign_file
from avdetect.nn.aasist import AASIST_L, Aasist, AasistSettings
from avdetect.nn.foreign_names import (
    AASIST_RULES,
    AV_HUBERT_RULES,
    XLSR_AASIST_RULES,
    Rules,
    renamed,
)

_PARALLEL = "module."  # what DataParallel puts before every name
_HEAD_FEATURES = 64  # of one attention head in every published wav2vec 2.0 or AV-HuBERT model
_TO_CALIBRATE = (
    "It has no calibration yet: raw scores are no likelihood ratios. Fit one on clips it\n"
    "never saw (recipes.voice_clone.recalibrate --unseen), then name it in a bundle\n"
    "without cross_attention, which was trained on the tokens of another voice model."
)
_TO_TRAIN = (
    "It is an encoder alone, and no detector takes it yet: train projections and a head on it\n"
    "with recipes.lip_sync (encoder_model), then name what that exports in a bundle."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignLayout:
    """One published layout.

    Attributes:
        rules: their names to ours, see `avdetect.nn.foreign_names`.
        config: our tensors to the card's ``[config]``; a `KeyError` or `IndexError` means that
            they are of another layout.
        build: the untrained network of that config, which the tensors must fill exactly.
        origin: repository and licence, for the card.
        summary: one sentence of what it is.
        role: of the branch that it becomes a model of.
        prefix: before every name in our checkpoint.
        licence: for the card.
        assumed: fairseq's settings that the network takes for granted.
        to_do: what is still to do before a detector takes it.
    """

    rules: Rules
    config: Callable[[Mapping[str, Tensor]], dict[str, Any]]
    build: Callable[[Mapping[str, Any]], nn.Module]
    origin: str
    summary: str
    role: str = "voice_clone"
    prefix: str = "judge."
    licence: str = "see origin"
    assumed: Mapping[str, Any] = field(default_factory=dict)
    to_do: str = _TO_CALIBRATE


def _aasist_config(state: Mapping[str, Tensor]) -> dict[str, Any]:
    known = {settings.width: settings for settings in (AasistSettings(), AASIST_L)}
    return {"front_end": "aasist", "aasist": asdict(known[state["head.position"].shape[2]])}


def _xlsr_config(state: Mapping[str, Tensor]) -> dict[str, Any]:
    speech = {
        key.removeprefix("speech_model."): value
        for key, value in state.items()
        if key.startswith("speech_model.")
    }
    convolutions = [k for k in speech if k.startswith("feature_extractor") and "conv.weight" in k]
    norms = [k for k in speech if k.startswith("feature_extractor") and "layer_norm.weight" in k]
    layers = {int(k.split(".")[2]) for k in speech if k.startswith("encoder.layers.")}
    hidden = speech["feature_projection.projection.weight"].shape[0]
    position = speech["encoder.pos_conv_embed.conv.parametrizations.weight.original1"]
    per_layer = len(norms) == len(convolutions)
    return {
        "front_end": "xlsr-aasist",
        "speech_model": {
            "hidden_size": hidden,
            "num_hidden_layers": max(layers) + 1,
            "num_attention_heads": max(hidden // _HEAD_FEATURES, 1),
            "intermediate_size": speech[
                "encoder.layers.0.feed_forward.intermediate_dense.weight"
            ].shape[0],
            "conv_dim": [speech[key].shape[0] for key in convolutions],
            "conv_bias": "feature_extractor.conv_layers.0.conv.bias" in speech,
            "feat_extract_norm": "layer" if per_layer else "group",
            "do_stable_layer_norm": per_layer,
            "num_conv_pos_embeddings": position.shape[2],
            "num_conv_pos_embedding_groups": hidden // position.shape[1],
        },
    }


def _av_hubert_config(state: Mapping[str, Tensor]) -> dict[str, Any]:
    layers = {int(key.split(".")[2]) for key in state if key.startswith("encoder.layers.")}
    width = state["project.weight"].shape[0]
    position = state["encoder.pos_conv_embed.conv.parametrizations.weight.original1"]
    stages = [f"mouths.trunk.layer{number}.0.conv1.weight" for number in range(1, 5)]
    sizes = {
        "width": width,
        "n_layers": max(layers) + 1,
        "n_heads": max(width // _HEAD_FEATURES, 1),
        "inner_width": state["encoder.layers.0.feed_forward.intermediate_dense.weight"].shape[0],
        "position_taps": position.shape[2],
        "position_groups": width // position.shape[1],
        "sound_features": state["project_sound.weight"].shape[1],
        "mouth_widths": [state[name].shape[0] for name in ("mouths.first.0.weight", *stages)],
    }
    return {"encoder": "av_hubert", "av_hubert": sizes}


def _build_aasist(config: Mapping[str, Any]) -> nn.Module:
    return Aasist(AasistSettings(**config["aasist"]))


def _build_xlsr(config: Mapping[str, Any]) -> nn.Module:
    # transformers takes seconds to import, and only this layout needs it.
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    from avdetect.nn.xlsr_aasist import XlsrAasist

    return XlsrAasist(Wav2Vec2Model(Wav2Vec2Config(**config["speech_model"])))


def _build_av_hubert(config: Mapping[str, Any]) -> nn.Module:
    from avdetect.nn.av_hubert import AvHubert, AvHubertSettings

    return AvHubert(AvHubertSettings(**config["av_hubert"]))


LAYOUTS: dict[str, ForeignLayout] = {
    "aasist": ForeignLayout(
        rules=AASIST_RULES,
        config=_aasist_config,
        build=_build_aasist,
        origin="github.com/clovaai/aasist (MIT), models/AASIST.py",
        summary="AASIST or AASIST-L on raw sound (Jung et al. 2022), imported weights.",
    ),
    "xlsr-aasist": ForeignLayout(
        rules=XLSR_AASIST_RULES,
        config=_xlsr_config,
        build=_build_xlsr,
        origin="github.com/TakHemlata/SSL_Anti-spoofing (MIT), model.py",
        summary="wav2vec 2.0 under an AASIST head (Tak et al. 2022), imported weights.",
    ),
    "av_hubert": ForeignLayout(
        rules=AV_HUBERT_RULES,
        config=_av_hubert_config,
        build=_build_av_hubert,
        origin="github.com/facebookresearch/av_hubert, avhubert/hubert.py",
        summary="AV-HuBERT (Shi et al. 2022), imported weights of the encoder alone.",
        role="lip_sync",
        prefix="encoder.net.",
        licence="AV-HuBERT licence: research that is not commercial, no surveillance or biometrics",
        assumed={
            "layer_norm_first": True,
            "modality_fuse": "concat",
            "resnet_relu_type": "prelu",
            "sub_encoder_layers": 0,
            "normalize": True,
            "stack_order_audio": 4,
        },
        to_do=_TO_TRAIN,
    ),
}


def import_checkpoint(layout: str, path: Path, folder: Path) -> Path:
    """Read a published checkpoint and write it as a model of its branch, in full precision.

    No detector takes it as it is, see `ForeignLayout.to_do`: raw scores of other people's training
    are no LLRs, and an encoder alone gives none.

    Args:
        layout: a key of `LAYOUTS`.
        path: ``.pth`` or ``.pt`` file; only tensors are read from it, no code is run.
        folder: the checkpoint folder to make, see `avdetect.checkpoint`.

    Raises:
        CheckpointError: the file is absent, no checkpoint, or of another layout.
        OutputError: the folder is there already, or cannot be written.
    """
    if folder.exists():  # other weights under an old calibration would give wrong LLRs
        raise OutputError(f"{folder}: is there already: choose another name or remove it")
    foreign = LAYOUTS[layout]
    found = _read(path)
    for key, wanted in foreign.assumed.items():
        if (told := found.settings.get(key, wanted)) != wanted:
            raise CheckpointError(f"{path}: trained with {key} = {told!r}, want {wanted!r}")
    state = renamed(found.tensors, foreign.rules)
    try:
        config = foreign.config(state)
        foreign.build(config).load_state_dict(state)
    except (KeyError, IndexError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(
            f"{path}: not of the layout of {foreign.origin}: cannot place {reason}"
        ) from error
    card = {
        "role": foreign.role,
        "summary": foreign.summary,
        "licence": foreign.licence,
        "origin": foreign.origin,
        "config": config,
    }
    write_checkpoint(folder, {foreign.prefix + key: value for key, value in state.items()}, card)
    return folder


def _read(path: Path) -> ForeignFile:
    try:
        blob = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from error
    found = foreign_file(str(path), blob)
    tensors = {key.removeprefix(_PARALLEL): value for key, value in found.tensors.items()}
    return replace(found, tensors=tensors)
