"""Tensors of a checkpoint file that other people's code wrote: read, never run."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from avdetect.errors import CheckpointError

_WRAPPERS = ("state_dict", "model_state_dict", "model")  # where trainers put the tensors
# fairseq stores its dictionaries, tokenizers and meters beside the tensors. Nobody reads them here.
_BESIDE = ("argparse.", "fairseq.", "numpy.", "omegaconf.", "sentencepiece.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignFile:
    """What a checkpoint file holds.

    Attributes:
        tensors: by their names.
        settings: what fairseq wrote of its model and task (``cfg``), in one table; empty where it
            is another trainer's.
    """

    tensors: dict[str, Tensor]
    settings: dict[str, Any]


class _StandIn:
    """In place of an object of fairseq: it takes what the object was made of, and is nothing."""

    def __init__(self, *made_of: object, **named: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def foreign_tensors(name: str, blob: bytes) -> dict[str, Tensor]:
    """Names and tensors alone of `foreign_file`."""
    return foreign_file(name, blob).tensors


def foreign_file(name: str, blob: bytes) -> ForeignFile:
    """Read a ``torch.save`` file, out of whatever table a trainer put the tensors in.

    Args:
        name: of the file, for errors.
        blob: its bytes.

    Raises:
        CheckpointError: it is no such file, would run code, or holds more than tensors.
    """
    try:
        with safe_globals(_stand_ins(blob)):
            loaded = torch.load(io.BytesIO(blob), map_location="cpu", weights_only=True)
    except Exception as error:  # bytes that are no pickle fail in any way at all
        reason = ": ".join([type(error).__name__, *str(error).splitlines()[:1]])
        raise CheckpointError(
            f"{name}: no checkpoint, or not a PyTorch checkpoint of tensors: {reason}"
        ) from error
    settings = _fairseq_settings(loaded.get("cfg")) if isinstance(loaded, Mapping) else {}
    for key in _WRAPPERS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    if not isinstance(loaded, Mapping) or not all(isinstance(v, Tensor) for v in loaded.values()):
        raise CheckpointError(f"{name}: holds no table of tensors")
    return ForeignFile(tensors={str(key): v for key, v in loaded.items()}, settings=settings)


def _stand_ins(blob: bytes) -> list[Callable[..., Any] | tuple[Callable[..., Any], str]]:
    if not zipfile.is_zipfile(io.BytesIO(blob)):  # files from before 2020 name no classes up front
        return []
    names = get_unsafe_globals_in_checkpoint(io.BytesIO(blob))
    return [(_StandIn, name) for name in names if name.startswith(_BESIDE)]


def _fairseq_settings(cfg: object) -> dict[str, Any]:
    """Settings of model and task; those of a fine-tuned model's own encoder win."""
    if not isinstance(cfg, Mapping):
        return {}
    found: dict[str, Any] = {}
    for part in (cfg.get("task"), cfg.get("model")):
        if isinstance(part, Mapping):
            found |= {str(key): value for key, value in part.items()}
    return found | _fairseq_settings(found.get("w2v_args"))
