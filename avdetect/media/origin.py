"""What a file says of its own making: container tags, and a JPEG's tables and camera data.

Anybody can write anything there, so it is told as a claim; what contradicts the content is a cue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from av.container import InputContainer
from PIL import Image

_MOST_TAGS = 64
_MOST_LETTERS = 200
_MOST_SEGMENTS = 200
_SOI, _DQT, _SOS, _APP1 = b"\xff\xd8", 0xDB, 0xDA, 0xE1
_FRAMES = {0xC0: False, 0xC1: False, 0xC2: True}  # start of frame -> progressive
_EXIF_HEAD = b"Exif\x00\x00"
_EXIF_TAGS = {271: "make", 272: "model", 305: "software", 306: "datetime"}


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegOrigin:
    """How a JPEG was coded, read from its header alone (ITU-T T.81, annex B).

    Attributes:
        tables: quantisation tables in the order of their numbers, each 64 values in zigzag order.
        sampling: horizontal and vertical factors of each component, such as ``2x2,1x1,1x1``.
        is_progressive: coded in several scans.
        camera: ``make``, ``model``, ``software`` and ``datetime`` of the EXIF data, where there.
    """

    tables: tuple[tuple[int, ...], ...] = ()
    sampling: str = ""
    is_progressive: bool = False
    camera: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What one file says of itself.

    Attributes:
        container: name of the container's format.
        tags: metadata of the container and its streams, at most 64, keys in lower case.
        jpeg: of a JPEG; None of anything else.
    """

    container: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    jpeg: JpegOrigin | None = None


NO_ORIGIN = Origin()


def read_origin(container: InputContainer, reader: BinaryIO) -> Origin:
    """What an opened file says of itself; nothing is decoded.

    Args:
        container: opened by PyAV.
        reader: over the file's bytes, from the start.
    """
    tags: dict[str, str] = {}
    tables = [container.metadata, *(stream.metadata for stream in container.streams)]
    for key, value in (pair for table in tables for pair in table.items()):
        if len(tags) < _MOST_TAGS:
            tags.setdefault(_short(key).lower(), _short(value))
    return Origin(container=container.format.name, tags=tags, jpeg=read_jpeg(reader))


def read_jpeg(reader: BinaryIO) -> JpegOrigin | None:
    """A JPEG's own facts up to its first scan; None of anything else or of a damaged header."""
    if reader.read(2) != _SOI:
        return None
    tables: dict[int, tuple[int, ...]] = {}
    sampling, is_progressive, camera = "", False, dict[str, str]()
    for _ in range(_MOST_SEGMENTS):
        head = reader.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            return None
        marker, size = head[1], int.from_bytes(head[2:], "big") - 2
        if marker == _SOS:
            ordered = tuple(tables[number] for number in sorted(tables))
            return JpegOrigin(
                tables=ordered, sampling=sampling, is_progressive=is_progressive, camera=camera
            )
        body = reader.read(max(0, size))
        if marker == _DQT:
            tables |= _tables(body)
        elif marker in _FRAMES:
            is_progressive = _FRAMES[marker]
            factors = body[7::3][: body[5]] if len(body) > 5 else b""
            sampling = ",".join(f"{factor >> 4}x{factor & 15}" for factor in factors)
        elif marker == _APP1 and body.startswith(_EXIF_HEAD):
            camera |= _camera(body)
    return None


def _tables(body: bytes) -> dict[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {}
    while len(body) >= 65:
        wide, number = body[0] >> 4, body[0] & 15
        size = 128 if wide else 64
        values = body[1 : 1 + size]
        if len(values) == size:
            step = 2 if wide else 1
            found[number] = tuple(
                int.from_bytes(values[k : k + step], "big") for k in range(0, size, step)
            )
        body = body[1 + size :]
    return found


def _camera(body: bytes) -> dict[str, str]:
    exif: Any = Image.Exif()
    try:
        exif.load(body)
        found = {name: exif.get(tag) for tag, name in _EXIF_TAGS.items()}
    except Exception:  # noqa: BLE001  (a damaged EXIF block raises whatever its parser met)
        return {}
    return {name: _short(value) for name, value in found.items() if value}


def _short(value: object) -> str:
    return str(value).strip("\x00 ")[:_MOST_LETTERS]
