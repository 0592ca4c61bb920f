"""Pretrained speech models of the wav2vec 2.0 family, and how much of one is trained on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

from torch import nn
from transformers import AutoModel

from avdetect.errors import CheckpointError
from avdetect.nn.low_rank import adapt
from avdetect.nn.pretrained import load_pretrained, refuse_other_weights, weights_sha256

# wav2vec 2.0 and XLS-R (Baevski et al. 2020), HuBERT (Hsu et al. 2021), WavLM (Chen et al. 2022)
FAMILY = ("wav2vec2", "hubert", "wavlm")
_ADAPTED = ("q_proj", "v_proj")  # of every layer's attention, as Hu et al. found enough
_SETTING = "speech_model"
_LAST = re.compile(r"last-([1-9]\d*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechModelSettings:
    """Which speech model, and what of it is trained; its kind stands in its own folder.

    Attributes:
        path: local folder as transformers writes it, or a hub id.
        tune: ``frozen``, ``last-N`` (its last N transformer layers), ``full``, or ``lora``
            (`avdetect.nn.low_rank`, on queries and values).
        lora_rank: for ``lora``.
        weights_sha256: of the model at ``path``, see `pinned`; None takes whatever lies there.
    """

    path: str
    tune: str
    lora_rank: int = 8
    weights_sha256: str | None = None


def pinned(settings: SpeechModelSettings) -> SpeechModelSettings:
    """The same bound to the weights at ``path``: what is trained on them makes sense on no others.

    Raises:
        CheckpointError: as `tuned_speech_model`.
    """
    return replace(settings, weights_sha256=weights_sha256(_pretrained(settings.path)))


def tuned_speech_model(settings: SpeechModelSettings) -> nn.Module:
    """The pretrained model; what is to be trained of it requires a gradient.

    It neither masks nor skips layers in training: every layer is heard every time.

    Raises:
        CheckpointError: if nothing is there, it is of another family or not whole, or ``tune`` is
            unknown or asks for more layers than there are.
    """
    model = _pretrained(settings.path)
    refuse_other_weights(_SETTING, settings.path, weights_sha256(model), settings.weights_sha256)
    layers = cast(nn.ModuleList, cast(nn.Module, model.encoder).layers)
    tune, last = settings.tune, _LAST.fullmatch(settings.tune)
    if tune not in ("frozen", "full", "lora") and not (last and int(last[1]) <= len(layers)):
        raise CheckpointError(
            f"speech_model.tune {tune!r}: want frozen, last-1 to last-{len(layers)}, full or lora"
        )
    model.requires_grad_(tune == "full")
    if last:
        layers[-int(last[1]) :].requires_grad_(True)
    elif tune == "lora":
        for projection in _projections(layers):
            adapt(projection, settings.lora_rank)
    return model


def _pretrained(path: str) -> nn.Module:
    changes = {"apply_spec_augment": False, "layerdrop": 0.0}
    return load_pretrained(_SETTING, path, dict.fromkeys(FAMILY, AutoModel), changes)


def _projections(layers: nn.ModuleList) -> Iterator[nn.Linear]:
    for layer in layers:
        attention = cast(nn.Module, layer.attention)
        yield from (cast(nn.Linear, getattr(attention, name)) for name in _ADAPTED)
