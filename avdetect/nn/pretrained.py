"""Pretrained transformers models from a local folder or hub id, and a hash of their weights."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig

from avdetect.errors import CheckpointError

# Stand-ins for masked places, where nothing is masked here, and poolers, which nobody reads.
_UNREAD = re.compile(r"masked_spec_embed|mask_token|^pooler\.")


def load_pretrained(
    setting: str, path: str, family: Mapping[str, Any], changes: Mapping[str, Any]
) -> nn.Module:
    """The whole model in single precision, with its own config.

    Args:
        setting: what named the path, for errors.
        path: local folder as transformers writes it, or a hub id.
        family: transformers' class for each kind of model that is taken.
        changes: of the model's config, such as dropout.

    Raises:
        CheckpointError: if nothing is there, it is of another family or not whole.
    """
    try:
        config = AutoConfig.from_pretrained(path)
        if config.model_type not in family:
            raise CheckpointError(
                f"{setting}.path {path!r}: holds a {config.model_type!r} model; "
                f"want one of {', '.join(family)}"
            )
        kind = family[config.model_type]
        config = getattr(config, "vision_config", config)  # of CLIP, whose other half reads text
        for key, value in changes.items():
            setattr(config, key, value)
        model, loaded = kind.from_pretrained(
            path, config=config, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:  # Runtime: other sizes
        reason = str(error).splitlines()[0]
        raise CheckpointError(
            f"{setting}.path {path!r}: cannot load: {reason}; set it to a local folder or hub id"
        ) from error
    if missing := sorted(name for name in loaded["missing_keys"] if not _UNREAD.search(name)):
        raise CheckpointError(f"{setting}.path {path!r}: lacks weights: {missing[:3]}")
    return cast(nn.Module, model)


def refuse_other_weights(setting: str, path: str, found: str, wanted: str | None) -> None:
    """Raise `CheckpointError` unless the weights are those that were trained on (None: any)."""
    if wanted not in (None, found):
        raise CheckpointError(
            f"{setting}.path {path!r}: holds other weights than it was trained on; put those there"
        )


def weights_sha256(model: nn.Module, facts: Iterable[float] = ()) -> str:
    """Hex digest of all weights that are read, by name, and of other facts that go with them."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        if not _UNREAD.search(name):
            digest.update(name.encode() + tensor.numpy().tobytes())
    for fact in facts:
        digest.update(repr(fact).encode())
    return digest.hexdigest()
