"""What is inside a packet whatever container it lies in: the bytes that remuxing leaves alone.

MPEG-TS frames H.264 and HEVC by start codes where MP4 writes lengths, repeats parameter sets and
puts a header before every AAC frame; PCM is cut into packets of any length. Each is brought to one
form here, so that another container alone changes no hash.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from av.audio.stream import AudioStream
from av.stream import Stream

Payload = tuple[bytes, float]  # bytes and the seconds at which they are presented

_START_CODE = re.compile(rb"\x00\x00\x01")
_H264_FRAMING = frozenset({7, 8, 9})  # parameter sets, delimiter: ITU-T H.264 table 7-1
_HEVC_FRAMING = frozenset({32, 33, 34, 35})  # ITU-T H.265 table 7-1
_PCM_BLOCKS_A_SECOND = 50


class PayloadReader:
    """Turns the packets of one stream into payloads with their times."""

    def __init__(self, stream: Stream) -> None:
        context = stream.codec_context
        self._codec = context.name if context is not None else "unknown"
        self._normal = _normaliser(self._codec, bytes(getattr(context, "extradata", None) or b""))
        self._block = _pcm_block_bytes(stream) if self._codec.startswith("pcm_") else 0
        self._rest, self._rest_s, self._last_s = b"", 0.0, 0.0

    def read(self, data: bytes, time_s: float | None) -> Iterator[Payload]:
        """The payloads a packet holds or completes; a packet without a time takes the last one."""
        self._last_s = time_s = self._last_s if time_s is None else time_s
        if not self._block:
            yield self._normal(data), time_s
            return
        if not self._rest:
            self._rest_s = time_s
        self._rest += data
        while len(self._rest) >= self._block:
            yield self._rest[: self._block], self._rest_s
            self._rest = self._rest[self._block :]
            self._rest_s += 1 / _PCM_BLOCKS_A_SECOND

    def flush(self) -> Iterator[Payload]:
        """The rest after the last packet."""
        if self._rest:
            yield self._rest, self._rest_s


def _pcm_block_bytes(stream: Stream) -> int:
    if not isinstance(stream, AudioStream) or not stream.codec_context.sample_rate:
        return 0
    context = stream.codec_context
    samples = max(1, context.sample_rate // _PCM_BLOCKS_A_SECOND)
    bits = {"pcm_mulaw": 8, "pcm_alaw": 8, "pcm_u8": 8, "pcm_s24le": 24, "pcm_s24be": 24}
    bytes_each = bits.get(context.name, 8 * context.format.bytes) // 8
    return samples * context.layout.nb_channels * max(1, bytes_each)


def _normaliser(codec: str, extradata: bytes) -> Callable[[bytes], bytes]:
    if codec == "h264":
        size = (extradata[4] & 3) + 1 if len(extradata) > 6 and extradata[0] == 1 else 0
        return lambda data: _units(data, size, lambda unit: unit[0] & 0x1F, _H264_FRAMING)
    if codec == "hevc":
        size = (extradata[21] & 3) + 1 if len(extradata) > 22 and extradata[0] == 1 else 0
        return lambda data: _units(data, size, lambda unit: unit[0] >> 1 & 0x3F, _HEVC_FRAMING)
    if codec == "aac":
        return _without_adts
    return lambda data: data


def _without_adts(data: bytes) -> bytes:
    """An AAC frame without its ADTS header (ISO/IEC 13818-7, 6.2)."""
    if len(data) > 9 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0:
        return data[7 if data[1] & 1 else 9 :]
    return data


def _units(
    data: bytes, length_size: int, kind: Callable[[bytes], int], framing: frozenset[int]
) -> bytes:
    units = _by_length(data, length_size) if length_size else _by_start_code(data)
    kept = [unit for unit in units if unit and kind(unit) not in framing]
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in kept)


def _by_length(data: bytes, size: int) -> Iterator[bytes]:
    position = 0
    while position + size <= len(data):
        length = int.from_bytes(data[position : position + size], "big")
        yield data[position + size : position + size + length].rstrip(b"\0")
        position += size + length


def _by_start_code(data: bytes) -> Iterator[bytes]:
    starts = [match.end() for match in _START_CODE.finditer(data)]
    for start, following in zip(starts, [*starts[1:], len(data) + 3], strict=True):
        yield data[start : following - 3].rstrip(b"\0")
