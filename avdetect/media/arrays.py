"""Sound in an array, written as a WAV, so that it takes the same way as a file."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avdetect.errors import InputError, InputLimitError

_IEEE_FLOAT = 3  # the format tag of WAVE for 32-bit floats
_SAMPLE_BYTES = 4


def wav_bytes(sound: tuple[NDArray[Any], int], name: str) -> bytes:
    """Samples as a WAV of 32-bit floats.

    Args:
        sound: samples (S,), (C, S) or (S, C), float in [-1, 1] or int16, and their rate in hertz;
            of two axes the longer one is time.
        name: what to call it in messages.

    Raises:
        InputError: another shape or dtype.
        InputLimitError: more than a WAV can hold.
    """
    if len(sound) != 2 or not isinstance(sound[1], int | np.integer):
        raise InputError(f"{name}: want (samples, rate_hz) with a whole number of hertz")
    samples, rate = _interleaved(np.asarray(sound[0]), name), int(sound[1])
    channels = samples.shape[1]
    frame_bytes = channels * _SAMPLE_BYTES
    if not 0 < rate < 1 << 31 or frame_bytes > 0xFFFF or samples.nbytes > 0xFFFFFF00:
        raise InputLimitError(
            f"{name}: {len(samples)} samples in {channels} channels at {rate} Hz do not fit a WAV"
        )
    bytes_a_second = min(rate * frame_bytes, 0xFFFFFFFF)
    facts = (_IEEE_FLOAT, channels, rate, bytes_a_second, frame_bytes, 8 * _SAMPLE_BYTES)
    layout = struct.pack("<HHIIHH", *facts)
    data = struct.pack("<4sI", b"data", samples.nbytes) + samples.tobytes()
    chunks = b"WAVE" + struct.pack("<4sI", b"fmt ", len(layout)) + layout + data
    return struct.pack("<4sI", b"RIFF", len(chunks)) + chunks


def _interleaved(array: NDArray[Any], name: str) -> NDArray[np.float32]:
    """(S, C) float32, little-endian."""
    if array.ndim not in (1, 2) or not array.size:
        raise InputError(f"{name}: want samples of shape (S,), (C, S) or (S, C), got {array.shape}")
    if array.dtype == np.int16:
        array = array.astype(np.float32) / 32768
    elif not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"{name}: want float samples in [-1, 1] or int16, got {array.dtype}")
    if array.ndim == 2 and array.shape[0] < array.shape[1]:
        array = array.T
    with np.errstate(over="ignore"):  # a float64 beyond float32 is damage, counted when decoded
        return np.ascontiguousarray(array.reshape(len(array), -1), "<f4")
