"""Copy-synthesis with trained vocoders: a waveform's fake twin, by the vocoder's name.

A vocoder is one file: float16 weights with the network's table in the header. Its name is
``<training>@<step>``, with ``~<n>`` behind it where only n of its codebooks are used:
``istft_256@4000``, ``codec_320@4000~2``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file

from avdetect.errors import CheckpointError
from recipes.forge.neural.networks import build_vocoder
from recipes.forge.neural.quantiser import TRAINING_ONLY
from recipes.forge.neural.settings import RUNS
from recipes.forge.neural.speech import LEVEL
from recipes.forge.neural.vocoder import Vocoder

Waveform = NDArray[np.float32]
_LOUDEST = 0.999
_LEAST_SAMPLES = 4_096  # shorter speech is padded to it: networks look at 0.1 s and more at once
_PREFIX = "step_"


def copy_synthesise(waveform: Waveform, name: str, folder: Path = RUNS) -> Waveform:
    """The same speech drawn anew by a vocoder; the same input gives the same output.

    Args:
        waveform: (S,) float32 in [-1, 1] at 16 kHz.
        name: of a vocoder, see the module and `list_vocoders`.
        folder: where the trainings lie.

    Returns:
        (S,) float32 on the same clock and at the same root-mean-square level.

    Raises:
        CheckpointError: if there is no such vocoder, or its file is damaged.
    """
    vocoder, n_quantisers = vocoder_named(name, folder), name.partition("~")[2]
    level = float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64))))
    if level < 1e-6:
        return np.zeros_like(waveform, np.float32)
    padded = np.pad(waveform * (LEVEL / level), (0, max(0, _LEAST_SAMPLES - len(waveform))))
    with torch.inference_mode():
        fed = torch.from_numpy(padded.astype(np.float32))[None]
        copied = vocoder(fed, int(n_quantisers or 0)).waveform[0, : len(waveform)].double().numpy()
    copied *= level / max(float(np.sqrt(np.mean(copied**2))), 1e-9)
    loudest = max(float(np.abs(copied).max(initial=0.0)), 1e-9)
    return np.asarray(copied * min(1.0, _LOUDEST / loudest), np.float32)


def vocoder_named(name: str, folder: Path = RUNS) -> Vocoder:
    """A kept vocoder by its name, however many of its codebooks the name says to use.

    Raises:
        CheckpointError: if there is no such vocoder, or its file is damaged.
    """
    return _load(folder / _relative_path(name.partition("~")[0]))


def list_vocoders(folder: Path = RUNS, *, least_step: int = 0) -> list[str]:
    """Names of all vocoders below a folder, sorted; those with codebooks at every second count."""
    names: list[str] = []
    for path in sorted(folder.glob(f"*/{_PREFIX}*.safetensors")):
        step = int(path.stem.removeprefix(_PREFIX))
        if step >= least_step:
            name = f"{path.parent.name}@{step}"
            n_quantisers = int(_read_network(path).get("n_quantisers", 0))
            names += [f"{name}~{n}" for n in range(2, n_quantisers + 1, 2)] or [name]
    return names


def save_vocoder(vocoder: Vocoder, network: Mapping[str, Any], path: Path) -> None:
    """Keep what copying needs; written whole or not at all."""
    state = {
        key: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
        for key, tensor in vocoder.state_dict().items()
        if not key.endswith(TRAINING_ONLY)
    }
    partial = path.with_suffix(".part")
    save_file(state, partial, metadata={"network": json.dumps(dict(network))})
    partial.replace(path)


def load_vocoder(path: Path) -> Vocoder:
    """A kept vocoder, float32, ready to copy.

    Raises:
        CheckpointError: if the file is not there or does not fit its own network.
    """
    vocoder = build_vocoder(_read_network(path))
    with safe_open(path, "pt") as tensors:
        state = {key: tensors.get_tensor(key) for key in tensors.keys()}
    unfit = f"{path}: weights do not fit their network: train it again"
    try:
        lacking, surplus = vocoder.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise CheckpointError(unfit) from error
    if surplus or not all(key.endswith(TRAINING_ONLY) for key in lacking):
        raise CheckpointError(unfit)
    return vocoder.eval()


@lru_cache(maxsize=8)
def _load(path: Path) -> Vocoder:
    return load_vocoder(path)


def _read_network(path: Path) -> dict[str, Any]:
    try:
        with safe_open(path, "pt") as tensors:
            network: dict[str, Any] = json.loads(tensors.metadata()["network"])
    except Exception as error:
        raise CheckpointError(f"{path}: no such vocoder, or damaged: train it again") from error
    return network


def _relative_path(stem: str) -> Path:
    training, _, step = stem.partition("@")
    return Path(training) / f"{_PREFIX}{step}.safetensors"
