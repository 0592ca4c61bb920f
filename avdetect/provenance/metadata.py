"""Generators that name themselves in a file's metadata: text anybody can write, and strip."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from avdetect.errors import InputError
from avdetect.media.container import open_container
from avdetect.media.source import RawFormat, Source
from avdetect.provenance.origin import MetadataMark

_MAX_TEXT_BYTES = 1 << 20  # of one entry; prompts and workflows are shorter
_MAX_ENTRIES = 2000
_SHOWN = 200
_PNG, _JPEG, _RIFF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"RIFF"

# Where it stands, how the text reads, and who writes such texts.
_MARKS = (
    (
        r"PNG text 'parameters'|JPEG|WebP",
        r"\bSteps: \d+, .*\bSampler: ",
        "a Stable Diffusion WebUI",
    ),
    (r"PNG text '(prompt|workflow)'", r'"(class_type|nodes)"', "ComfyUI"),
    (r"PNG text '(Dream|sd-metadata|invokeai_metadata|invokeai_graph)'", r".", "InvokeAI"),
    (r"PNG text 'fooocus_scheme'", r".", "Fooocus"),
    (r"PNG text '(Software|Source|Comment)'", r"NovelAI", "NovelAI"),
    (r".", r"\b(composite(With|_with_))?[tT]rainedAlgorithmicMedia\b", "a trained model (IPTC)"),
    (r".", r"Made with Google AI", "Google AI"),
    (r".", r"\b(Midjourney|DALL·?-?E|Adobe Firefly|Stable Diffusion|Ideogram|Leonardo\.?Ai)\b", ""),
    (
        r"tag '(encoder|software|comment|tool|creation_tool|description)'",
        r"\b(Suno|Udio|ElevenLabs|Sora|RunwayML|Runway|Pika|HeyGen|Synthesia|D-ID|Kling)\b",
        "",
    ),
)


def find_metadata_marks(source: Source, raw: RawFormat | None = None) -> tuple[MetadataMark, ...]:
    """What the metadata say of a generator, one mark per generator.

    Args:
        source: an opened file.
        raw: how headerless sound is read; it has no metadata.
    """
    found: dict[str, MetadataMark] = {}
    if raw is not None:
        return ()
    for n, (where, text) in enumerate(_entries(source)):
        if n >= _MAX_ENTRIES:
            break
        for place, pattern, name in _MARKS:
            match = re.search(pattern, text, re.DOTALL) if re.search(place, where) else None
            if match is not None:
                generator = name or match.group(1)
                shown = " ".join(text[max(0, match.start() - 20) :].split())[:_SHOWN]
                mark = MetadataMark(where=where, generator=generator, text=shown)
                found.setdefault(generator, mark)
    return tuple(found.values())


def _entries(source: Source) -> Iterator[tuple[str, str]]:
    stream = source.reader()
    head = stream.read(12)
    stream.seek(0)
    if head.startswith(_PNG):
        yield from _png_texts(stream)
    elif head.startswith(_JPEG):
        yield from _jpeg_texts(stream)
    elif head.startswith(_RIFF) and head[8:] == b"WEBP":
        yield from _webp_texts(stream)
    yield from _tags(source)


def _png_texts(stream: BinaryIO) -> Iterator[tuple[str, str]]:
    """Text chunks (PNG specification, 11.3.3)."""
    stream.seek(len(_PNG))
    while len(head := stream.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        if kind in (b"tEXt", b"iTXt", b"zTXt", b"eXIf") and size <= _MAX_TEXT_BYTES:
            data = stream.read(size)
            stream.seek(4, 1)
            if kind == b"eXIf":
                yield "PNG EXIF", _plain(data)
                continue
            key, _, rest = data.partition(b"\0")
            yield f"PNG text '{_plain(key)[:40]}'", _plain(_png_value(kind, rest))
        else:
            stream.seek(size + 4, 1)
        if kind == b"IEND":
            return


def _png_value(kind: bytes, rest: bytes) -> bytes:
    if kind == b"tEXt":
        return rest
    packed = kind == b"zTXt" or rest[:1] == b"\x01"
    body = rest[1:] if kind == b"zTXt" else rest[2:].split(b"\0", 2)[-1]
    if not packed:
        return body
    try:
        return zlib.decompressobj().decompress(body, _MAX_TEXT_BYTES)
    except zlib.error:
        return b""


def _jpeg_texts(stream: BinaryIO) -> Iterator[tuple[str, str]]:
    """Application segments and comments before the first scan (ITU-T T.81, annex B)."""
    stream.seek(2)
    while len(head := stream.read(4)) == 4 and head[0] == 0xFF and head[1] != 0xDA:
        data = stream.read(max(0, int.from_bytes(head[2:], "big") - 2))
        if head[1] in (0xE1, 0xED, 0xFE):
            yield "JPEG comment" if head[1] == 0xFE else "JPEG EXIF or XMP", _plain(data)


def _webp_texts(stream: BinaryIO) -> Iterator[tuple[str, str]]:
    stream.seek(12)
    while len(head := stream.read(8)) == 8:
        kind, size = struct.unpack("<4sI", head)
        if kind in (b"EXIF", b"XMP ") and size <= _MAX_TEXT_BYTES:
            yield f"WebP {kind.decode().strip()}", _plain(stream.read(size))
            stream.seek(size & 1, 1)
        else:
            stream.seek(size + (size & 1), 1)


def _tags(source: Source) -> Iterator[tuple[str, str]]:
    try:
        with open_container(source) as container:
            tags = [*container.metadata.items()]
            for stream in container.streams:
                tags += stream.metadata.items()
    except InputError:
        return
    for key, value in tags:
        yield f"tag '{key.lower()[:40]}'", value[:_MAX_TEXT_BYTES]


def _plain(data: bytes) -> str:
    """Bytes as text; the zeros between letters of UTF-16 are dropped."""
    return data.replace(b"\0", b"").decode("utf-8", "replace")
