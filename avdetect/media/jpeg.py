"""Telling a JPEG that was cut off: libav fills what is missing with grey and says nothing."""

from __future__ import annotations

from typing import BinaryIO

_SOI, _SOS, _EOI = b"\xff\xd8", 0xDA, b"\xff\xd9"
_READ_BYTES = 1 << 20
_MAX_SEGMENTS = 10_000


def is_cut_jpeg(stream: BinaryIO) -> bool:
    """Whether the end of the first picture is missing (ITU-T T.81, annex B).

    Segments are walked up to the first scan, so that the end marker of a thumbnail in the EXIF
    data is not taken for that of the picture; anything that is no JPEG is not cut.
    """
    if stream.read(2) != _SOI:
        return False
    for _ in range(_MAX_SEGMENTS):
        head = stream.read(4)
        if len(head) < 4:
            return True
        if head[0] != 0xFF:
            return False  # not to the letter of the standard: the decoder shall judge
        if head[1] == _SOS:
            return not _reaches_end(stream)
        stream.seek(int.from_bytes(head[2:], "big") - 2, 1)
    return False


def _reaches_end(stream: BinaryIO) -> bool:
    tail = b""
    while data := stream.read(_READ_BYTES):
        if _EOI in tail + data:
            return True
        tail = data[-1:]
    return False
