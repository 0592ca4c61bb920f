"""Where there is speech: the network of silero-vad, streaming.

The weights are those of the TorchScript file in the silero-vad wheel. Its own Python front end runs
one 32 ms chunk at a time and sets torch's thread count for the whole process at import; here the
same layers run over a block of chunks at once, and nothing global is touched. (The wheel's
safetensors file is of an older release and gives other probabilities.)
"""

from __future__ import annotations

import importlib.util
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from avdetect.errors import CheckpointError
from avdetect.timebase import SAMPLE_RATE_HZ
from avdetect.types import Segment

CHUNK_SAMPLES = 512  # the model's fixed hop at 16 kHz: 32 ms
CHUNK_S = CHUNK_SAMPLES / SAMPLE_RATE_HZ
_CONTEXT_SAMPLES = 64  # tail of the previous chunk that the model reads first
_ENTER, _LEAVE = 0.5, 0.35  # hysteresis of the authors' own segmenter
_MIN_SPEECH_S, _MIN_PAUSE_S = 0.2, 0.1


class _SileroNetwork(nn.Module):
    """silero-vad v6, 16 kHz: a fixed STFT, four convolutions, an LSTM cell, one output."""

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 258, 256, stride=128, bias=False)
        self.conv1 = nn.Conv1d(129, 128, 3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(64, 128, 3, padding=1)
        self.lstm_cell = nn.LSTM(128, 128, batch_first=True)
        self.final_conv = nn.Conv1d(128, 1, 1)

    def forward(
        self, chunks: Tensor, state: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(N, 576) consecutive chunks with context to (N,) probabilities and the next state."""
        x = self.stft_conv(nn.functional.pad(chunks, (0, 64), mode="reflect")[:, None])
        x = (x[:, :129].square() + x[:, 129:].square()).sqrt()
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = layer(x).relu()
        hidden, state = self.lstm_cell(x.squeeze(-1)[None], state)
        logits = self.final_conv(hidden[0].relu()[..., None])
        return logits.sigmoid().squeeze(-1).squeeze(-1), state


# Layer names here <- names inside the TorchScript file's 16 kHz model.
_NAMES = {
    "stft_conv.weight": "stft.forward_basis_buffer",
    **{
        f"conv{i + 1}.{kind}": f"encoder.{i}.reparam_conv.{kind}"
        for i in range(4)
        for kind in ("weight", "bias")
    },
    **{
        f"lstm_cell.{kind}_{gate}_l0": f"decoder.rnn.{kind}_{gate}"
        for kind in ("weight", "bias")
        for gate in ("ih", "hh")
    },
    **{f"final_conv.{kind}": f"decoder.decoder.2.{kind}" for kind in ("weight", "bias")},
}


@lru_cache(maxsize=1)
def _network() -> _SileroNetwork:
    spec = importlib.util.find_spec("silero_vad")
    if spec is None or spec.origin is None:
        raise CheckpointError("the package silero-vad is not installed: it carries the VAD model")
    path = Path(spec.origin).parent / "data" / "silero_vad.jit"
    if not path.is_file():
        raise CheckpointError(f"{path} is missing: reinstall silero-vad")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript: only read here
        script = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    state = script.state_dict()
    network = _SileroNetwork()
    network.load_state_dict(
        {ours: state[f"_model.{theirs}"] for ours, theirs in _NAMES.items()}, strict=True
    )
    return network.eval()


class VoiceActivity:
    """Streaming speech probabilities of one channel; one instance per channel and scan."""

    def __init__(self) -> None:
        self._network = _network()
        self._state: tuple[Tensor, Tensor] | None = None
        self._pending = np.zeros(_CONTEXT_SAMPLES, np.float32)

    def push(self, waveform: NDArray[np.float32]) -> NDArray[np.float32]:
        """Feed (S,) float32 at 16 kHz; returns (N,) probabilities of the 32 ms chunks completed."""
        samples = np.concatenate([self._pending, np.asarray(waveform, np.float32)])
        n_chunks = (len(samples) - _CONTEXT_SAMPLES) // CHUNK_SAMPLES
        self._pending = samples[n_chunks * CHUNK_SAMPLES :]
        if n_chunks == 0:
            return np.zeros(0, np.float32)
        blocks = torch.from_numpy(samples).unfold(
            0, _CONTEXT_SAMPLES + CHUNK_SAMPLES, CHUNK_SAMPLES
        )
        with torch.inference_mode():
            probabilities, self._state = self._network(blocks[:n_chunks], self._state)
        return np.asarray(probabilities.numpy(), np.float32)

    def finish(self) -> NDArray[np.float32]:
        """Probability of the last, incomplete chunk (padded with silence); (0,) or (1,)."""
        n_left = len(self._pending) - _CONTEXT_SAMPLES
        if n_left == 0:
            return np.zeros(0, np.float32)
        return self.push(np.zeros(CHUNK_SAMPLES - n_left, np.float32))


def speech_segments(probabilities: NDArray[np.float32], start_s: float) -> tuple[Segment, ...]:
    """Segments of speech from chunk probabilities, with hysteresis.

    Args:
        probabilities: (N,) of consecutive 32 ms chunks.
        start_s: time of the first chunk on the clip's clock, seconds.

    Returns:
        Disjoint segments in order; pauses under 0.1 s are bridged, bursts under 0.2 s dropped.
    """
    spans: list[list[float]] = []
    speaking = False
    for index, probability in enumerate(probabilities):
        speaking = probability >= (_LEAVE if speaking else _ENTER)
        if not speaking:
            continue
        begin, end = start_s + index * CHUNK_S, start_s + (index + 1) * CHUNK_S
        if spans and begin - spans[-1][1] < _MIN_PAUSE_S:
            spans[-1][1] = end
        else:
            spans.append([begin, end])
    return tuple(Segment(a, b) for a, b in spans if b - a >= _MIN_SPEECH_S)
