"""Tensors of a checkpoint file that other people's code wrote: read, never run."""

from __future__ import annotations

import io
from collections.abc import Mapping

import torch
from torch import Tensor

from avdetect.errors import CheckpointError

_WRAPPERS = ("state_dict", "model_state_dict", "model")  # where trainers put the tensors


def foreign_tensors(name: str, blob: bytes) -> dict[str, Tensor]:
    """Names and tensors of a ``torch.save`` file, out of whatever table a trainer put them in.

    Args:
        name: of the file, for errors.
        blob: its bytes.

    Raises:
        CheckpointError: it is no such file, would run code, or holds more than tensors.
    """
    try:
        loaded = torch.load(io.BytesIO(blob), map_location="cpu", weights_only=True)
    except Exception as error:  # bytes that are no pickle fail in any way at all
        reason = ": ".join([type(error).__name__, *str(error).splitlines()[:1]])
        raise CheckpointError(
            f"{name}: no checkpoint, or not a PyTorch checkpoint of tensors: {reason}"
        ) from error
    for key in _WRAPPERS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    if not isinstance(loaded, Mapping) or not all(isinstance(v, Tensor) for v in loaded.values()):
        raise CheckpointError(f"{name}: holds no table of tensors")
    return {str(key): value for key, value in loaded.items()}
