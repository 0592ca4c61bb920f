"""Assemble a two-party telephone call, one speaker a channel, from clips of speech."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from avdetect.errors import UnreadableMediaError

CALL_RATE_HZ = 8000
_PAUSE_S = (
    0.3,
    1.1,
)  # between turns; most gaps of telephone talk lie in it (Heldner & Edlund 2010)
_TURN_CLIPS = (1, 2)
_LINE_NOISE = 10.0 ** (-62.0 / 20.0)  # a quiet line is never digitally silent


def compose_call(
    left: Sequence[Path], right: Sequence[Path], target: Path, *, at_least_s: float, seed: int = 0
) -> float:
    """Write a call in which two speakers take turns, as a stereo mu-law WAV at 8 kHz.

    A speaker whose clips are used up starts again with the first.

    Args:
        left: clips of the speaker on the left channel, at least one.
        right: the same for the right channel.
        target: file to write.
        at_least_s: turns are added until the call is this long.
        seed: of pauses, turn lengths and line noise.

    Returns:
        Seconds written.
    """
    rng = np.random.default_rng(seed)
    voices = [[read_mono(path, CALL_RATE_HZ) for path in clips] for clips in (left, right)]
    turns: list[tuple[int, NDArray[np.float32]]] = []
    n_samples, n_said = 0, [0, 0]
    while n_samples < at_least_s * CALL_RATE_HZ:
        channel = len(turns) % 2
        turn = []
        for _ in range(rng.integers(_TURN_CLIPS[0], _TURN_CLIPS[1], endpoint=True)):
            turn.append(voices[channel][n_said[channel] % len(voices[channel])])
            turn.append(np.zeros(round(rng.uniform(*_PAUSE_S) * CALL_RATE_HZ), np.float32))
            n_said[channel] += 1
        turns.append((n_samples, np.concatenate(turn)))
        n_samples += turns[-1][1].size
    call = rng.normal(0.0, _LINE_NOISE, (2, n_samples)).astype(np.float32)
    for number, (start, sound) in enumerate(turns):
        call[number % 2, start : start + sound.size] += sound
    write_mu_law(target, call)
    return n_samples / CALL_RATE_HZ


def read_mono(path: Path, rate_hz: int) -> NDArray[np.float32]:
    """A whole short file as (S,) float32 in [-1, 1] at a rate, channels averaged."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
    with av.open(str(path)) as container:
        pieces = [
            part.to_ndarray()[0]
            for frame in (*container.decode(audio=0), None)
            for part in resampler.resample(frame)
        ]
    if not pieces:
        raise UnreadableMediaError(f"{path}: no sound could be decoded")
    return np.concatenate(pieces)


def write_mu_law(target: Path, call: NDArray[np.float32]) -> None:
    """Write (2, S) float32 as a G.711 mu-law WAV at 8 kHz."""
    interleaved = np.round(np.clip(call, -1.0, 1.0) * 32767.0).astype(np.int16).T.reshape(1, -1)
    with av.open(str(target), "w", format="wav") as output:
        stream = output.add_stream("pcm_mulaw", rate=CALL_RATE_HZ, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(interleaved), "s16", "stereo")
        frame.rate = CALL_RATE_HZ
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
