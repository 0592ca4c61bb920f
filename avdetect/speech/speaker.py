"""Who speaks, as a vector: speechbrain's ECAPA-TDNN from a local folder, never downloaded.

The folder has speechbrain's published layout (``speechbrain/spkrec-ecapa-voxceleb``). Only
``embedding_model.ckpt`` is read, as tensors: the network's sizes follow from their shapes, and
``hyperparams.yaml``, which can run code, stays closed. As in speechbrain's own verification the
features lose their mean over the utterance and the embedding is left as it is, so
``mean_var_norm_emb.ckpt`` is not needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from avdetect.errors import CheckpointError
from avdetect.foreign_tensors import foreign_tensors
from avdetect.timebase import SAMPLE_RATE_HZ, seconds_to_samples

WEIGHTS = "embedding_model.ckpt"
_BLOCK_SAMPLES = seconds_to_samples(10.0)  # embedded at once: bounds memory on long calls
_SHORTEST_BLOCK_SAMPLES = seconds_to_samples(1.0)  # a shorter remainder embeds mostly its words


class SpeakerModel:
    """Turns speech into a speaker embedding (ECAPA-TDNN, Desplanques et al. 2020).

    Attributes:
        name: the folder's name.
        sha256: of its weights.
        width: length of an embedding.
    """

    def __init__(self, name: str, weights: bytes, device: torch.device) -> None:
        # speechbrain takes a second to import, and only a reference voice needs it.
        from speechbrain.lobes.features import Fbank
        from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN

        state = foreign_tensors(f"{name}: {WEIGHTS}", weights)
        sizes = _sizes(name, state)
        net = ECAPA_TDNN(**sizes)
        try:
            net.load_state_dict(state)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise CheckpointError(f"{name}: {WEIGHTS} is no ECAPA-TDNN: {reason}") from error
        self.name = name
        self.sha256 = hashlib.sha256(weights).hexdigest()
        self.width = int(sizes["lin_neurons"])
        self._device = device
        self._net = cast(nn.Module, net).eval().requires_grad_(False).to(device)
        self._features = cast(nn.Module, Fbank(n_mels=sizes["input_size"])).to(device)

    @staticmethod
    def is_in(folder: Path) -> bool:
        """Whether a folder holds the weights of a speaker model."""
        return (folder / WEIGHTS).is_file()

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> SpeakerModel:
        """Read a folder of speechbrain's layout.

        Raises:
            CheckpointError: the weights cannot be read or are of another network.
        """
        path = folder / WEIGHTS
        try:
            weights = path.read_bytes()
        except OSError as error:
            raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from error
        return cls(folder.resolve().name, weights, device)

    def embed(self, speech: NDArray[np.float32]) -> NDArray[np.float64]:
        """(S,) float32 speech at 16 kHz to an embedding (`width`,) of length 1."""
        waveform = torch.from_numpy(np.ascontiguousarray(speech))[None].to(self._device)
        with torch.inference_mode():
            embedding = self._raw(waveform)
        vector = embedding.flatten().cpu().numpy().astype(np.float64)
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12))

    def embed_tensor(self, waveform: Tensor) -> Tensor:
        """(1, S) at 16 kHz to an embedding (1, `width`) of length 1 that gradients pass."""
        return F.normalize(self._raw(waveform.to(self._device)).flatten(1))

    def _raw(self, waveform: Tensor) -> Tensor:
        features = self._features(waveform)
        embedding: Tensor = self._net(features - features.mean(1, keepdim=True))
        return embedding


class VoicePrint:
    """One voice, gathered while its speech streams by, in bounded memory.

    Args:
        model: embeds the speech; None only counts its seconds.

    Attributes:
        speech_s: seconds of speech heard so far.
    """

    def __init__(self, model: SpeakerModel | None) -> None:
        self.speech_s = 0.0
        self._model = model
        self._pending = np.zeros(0, np.float32)
        self._sum: NDArray[np.float64] | None = None

    def add(self, speech: NDArray[np.float32]) -> None:
        """Hear (S,) float32 more of the speech, at 16 kHz."""
        self.speech_s += len(speech) / SAMPLE_RATE_HZ
        if self._model is None:
            return
        self._pending = np.concatenate([self._pending, speech])
        while len(self._pending) >= _BLOCK_SAMPLES:
            self._take(self._pending[:_BLOCK_SAMPLES])
            self._pending = self._pending[_BLOCK_SAMPLES:]

    def finish(self) -> NDArray[np.float64] | None:
        """Mean embedding of all blocks of speech, weighted by their length; None without any."""
        if self._model is not None and len(self._pending) >= _SHORTEST_BLOCK_SAMPLES:
            self._take(self._pending)
        self._pending = np.zeros(0, np.float32)
        return self._sum

    def _take(self, block: NDArray[np.float32]) -> None:
        assert self._model is not None
        embedding = len(block) * self._model.embed(block)
        self._sum = embedding if self._sum is None else self._sum + embedding


def cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Cosine of the angle between two embeddings, -1..1; 0 where one of them is zero."""
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.clip(np.dot(a, b) / norm, -1.0, 1.0)) if norm > 0 else 0.0


def _sizes(name: str, state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Arguments of speechbrain's ECAPA_TDNN, read from the shapes of its tensors."""
    n_blocks = sum(key.endswith(".tdnn1.conv.conv.weight") for key in state)
    try:
        first, last = state["blocks.0.conv.conv.weight"], state["mfa.conv.conv.weight"]
        inner = [state[f"blocks.{i}.tdnn2.conv.conv.weight"] for i in range(1, n_blocks + 1)]
        narrow = [
            state[f"blocks.{i}.res2net_block.blocks.0.conv.conv.weight"]
            for i in range(1, n_blocks + 1)
        ]
        attention = state["asp.tdnn.conv.conv.weight"]
        return {
            "input_size": first.shape[1],
            "channels": [len(layer) for layer in (first, *inner, last)],
            "kernel_sizes": [layer.shape[-1] for layer in (first, *narrow, last)],
            "dilations": [1, *range(2, n_blocks + 2), 1],  # no tensor shows them: as published
            "groups": [1] * (n_blocks + 2),
            "attention_channels": len(attention),
            "global_context": attention.shape[1] == 3 * len(last),
            "res2net_scale": len(inner[0]) // len(narrow[0]),
            "se_channels": len(state["blocks.1.se_block.conv1.conv.weight"]),
            "lin_neurons": len(state["fc.conv.weight"]),
        }
    except (KeyError, IndexError) as error:
        raise CheckpointError(
            f"{name}: {WEIGHTS} is no ECAPA-TDNN of speechbrain: {error}"
        ) from error
