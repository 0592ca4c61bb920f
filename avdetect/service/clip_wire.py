"""What the decoding process says to its worker: small JSON heads and bare arrays, never pickles.

The process reads hostile files, so what it says is not trusted either: kinds, shapes, sizes and
times are checked before an array is made of the bytes.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from avdetect.errors import (
    InputError,
    InputLimitError,
    InputNotFoundError,
    UnreadableMediaError,
    UsageError,
)
from avdetect.media.origin import JpegOrigin, Origin
from avdetect.media.picture import MAX_SHOWN_PX, NATIVE_PX, PictureFrame
from avdetect.media.sound import (
    CHUNK_SAMPLES,
    CHUNKS_A_SECOND,
    MAX_CHANNELS,
    MAX_CLIP_S,
    MAX_RATE_HZ,
    AudioChunk,
)
from avdetect.timebase import FRAME_RATE_HZ

_HEAD = struct.Struct("<cII")  # kind, bytes of JSON, bytes of arrays
_MAX_FACTS = 1 << 20
_MOST_TEXTS, _MOST_LETTERS = 64, 200
_MAX_ARRAYS = 4 * MAX_CHANNELS * (MAX_RATE_HZ // CHUNKS_A_SECOND + CHUNK_SAMPLES + 2)
OPENED, SOUND, PICTURE, REFUSED, ENDED = b"O", b"S", b"P", b"R", b"E"
_KINDS = frozenset((OPENED, SOUND, PICTURE, REFUSED, ENDED))
_ERRORS = {
    error.code: error
    for error in (
        InputError,
        InputLimitError,
        InputNotFoundError,
        UnreadableMediaError,
        UsageError,
    )
}

Write = Callable[[bytes | memoryview], object]
ReadExactly = Callable[[int], bytearray]


class WireError(Exception):
    """What arrived is no message, or holds what no clip holds."""


def send(write: Write, kind: bytes, facts: dict[str, Any], *arrays: np.ndarray[Any, Any]) -> None:
    """Write one message."""
    head = json.dumps(facts).encode()
    write(_HEAD.pack(kind, len(head), sum(array.nbytes for array in arrays)) + head)
    for array in arrays:
        write(np.ascontiguousarray(array).data.cast("B"))


def send_item(write: Write, item: AudioChunk | PictureFrame) -> None:
    """Write one stretch of sound or one picture."""
    if isinstance(item, AudioChunk):
        facts: dict[str, Any] = {
            "start_s": item.start_s,
            "rate_hz": item.native_rate_hz,
            "shapes": [item.native.shape, item.waveform.shape],
        }
        native, waveform = item.native.astype("<f4"), item.waveform.astype("<f4")
        send(write, SOUND, facts, native, waveform)
        return
    ticks = [item.ticks.start, item.ticks.stop]
    facts = {"time_s": item.time_s, "shape": item.picture.shape, "ticks": ticks}
    luma = item.native_luma
    if luma is None:
        send(write, PICTURE, facts, item.picture)
    else:
        send(write, PICTURE, facts | {"luma_shape": luma.shape}, item.picture, luma)


def receive(read: ReadExactly) -> tuple[bytes, dict[str, Any], bytearray]:
    """Read one message: kind, facts, bytes of its arrays.

    Raises:
        WireError: it is none.
        EOFError: from ``read``, at the end.
    """
    kind, n_facts, n_arrays = _HEAD.unpack(bytes(read(_HEAD.size)))
    if kind not in _KINDS or n_facts > _MAX_FACTS or n_arrays > _MAX_ARRAYS:
        raise WireError("no message")
    try:
        facts = json.loads(bytes(read(n_facts)))
    except ValueError as error:
        raise WireError("facts are no JSON") from error
    if not isinstance(facts, dict):
        raise WireError("facts are no object")
    return kind, facts, read(n_arrays)


def refusal(facts: dict[str, Any]) -> InputError | UsageError:
    """The error that the decoding process told of."""
    error = _ERRORS.get(str(facts.get("code")), UnreadableMediaError)
    return error(str(facts.get("message"))[:500])


def item(kind: bytes, facts: dict[str, Any], arrays: bytearray) -> AudioChunk | PictureFrame:
    """The stretch of sound or the picture in a message.

    Raises:
        WireError: it holds what no clip holds.
    """
    try:
        return _sound(facts, arrays) if kind == SOUND else _picture(facts, arrays)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise WireError("no sound or picture") from error


def _sound(facts: dict[str, Any], arrays: bytearray) -> AudioChunk:
    (channels, n_native), (same_channels, n_waveform) = facts["shapes"]
    rate_hz = int(facts["rate_hz"])
    _require(1 <= channels <= MAX_CHANNELS and channels == same_channels)
    _require(0 < rate_hz <= MAX_RATE_HZ and 0 <= n_waveform <= CHUNK_SAMPLES)
    _require(0 <= n_native <= rate_hz // CHUNKS_A_SECOND + 1)
    values = np.frombuffer(arrays, "<f4")
    _require(values.size == channels * (n_native + n_waveform) and bool(np.isfinite(values).all()))
    native, waveform = np.split(values, [channels * n_native])
    return AudioChunk(
        _time(facts["start_s"]),
        native.reshape(channels, n_native),
        rate_hz,
        waveform.reshape(channels, n_waveform),
    )


def _picture(facts: dict[str, Any], arrays: bytearray) -> PictureFrame:
    height, width, colours = facts["shape"]
    _require(1 <= height <= MAX_SHOWN_PX and 1 <= width <= MAX_SHOWN_PX and colours == 3)
    first, end = facts["ticks"]
    _require(0 <= first < end <= (MAX_CLIP_S + 3600) * FRAME_RATE_HZ)
    values = np.frombuffer(arrays, np.uint8)
    luma = None
    if "luma_shape" in facts:
        rows, columns = facts["luma_shape"]
        _require(1 <= rows <= NATIVE_PX and 1 <= columns <= NATIVE_PX)
        values, native = np.split(values, [height * width * 3])
        luma = native.reshape(rows, columns)
    picture = values.reshape(height, width, 3)
    return PictureFrame(_time(facts["time_s"]), picture, range(first, end), luma)


def origin_facts(origin: Origin) -> dict[str, Any]:
    """What a file says of its own making, as JSON."""
    return asdict(origin)


def origin(facts: dict[str, Any]) -> Origin:
    """What a file says of its own making, as the decoding process told it.

    Raises:
        TypeError, ValueError, KeyError: it is nothing of the kind.
    """
    jpeg = facts["jpeg"]
    return Origin(
        container=str(facts["container"])[:_MOST_LETTERS],
        tags=_texts(facts["tags"]),
        jpeg=None
        if jpeg is None
        else JpegOrigin(
            tables=tuple(tuple(int(value) for value in table) for table in jpeg["tables"][:4]),
            sampling=str(jpeg["sampling"])[:_MOST_LETTERS],
            is_progressive=bool(jpeg["is_progressive"]),
            camera=_texts(jpeg["camera"]),
        ),
    )


def _texts(facts: dict[str, Any]) -> dict[str, str]:
    _require(isinstance(facts, dict) and len(facts) <= _MOST_TEXTS)
    return {str(key)[:_MOST_LETTERS]: str(value)[:_MOST_LETTERS] for key, value in facts.items()}


def _time(value: object) -> float:
    seconds = float(str(value))
    _require(math.isfinite(seconds) and 0.0 <= seconds <= MAX_CLIP_S + 3600)
    return seconds


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError("out of bounds")
